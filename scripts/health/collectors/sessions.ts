import { NotKnown } from "../../connection/observer.ts";
import type { Collector } from "../collector.ts";

/** Sessions of clients, in all databases. */
export interface SessionValues {
  active: number;
  idle: number;
  idleInTransaction: number;
  waitingForLocks: number;
  /** Time in s of the oldest transaction; null if there is none. */
  oldestTransactionSeconds: number | null;
}

export const sessions: Collector<SessionValues> = {
  name: "sessions",
  needs: "pg_read_all_stats",
  async collect(observer) {
    if (!observer.facts.readsAllStats)
      throw new NotKnown("the role sees no details of other roles' sessions (pg_monitor)");
    const [row] = await observer.query<SessionValues>(
      `select count(*) filter (where state = 'active')::int as active, count(*) filter (where state = 'idle')::int as idle,
              count(*) filter (where state like 'idle in transaction%')::int as "idleInTransaction",
              count(*) filter (where wait_event_type = 'Lock')::int as "waitingForLocks",
              max(extract(epoch from clock_timestamp() - xact_start))::float8 as "oldestTransactionSeconds"
         from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()`,
    );
    if (row === undefined) throw new NotKnown("the server returned no row");
    return row;
  },
};
