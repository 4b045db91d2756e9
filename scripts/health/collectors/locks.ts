import { NotKnown } from "../../connection/observer.ts";
import type { Collector } from "../collector.ts";

/** A session that holds a lock for which others wait. */
export interface Blocker {
  pid: number;
  role: string | null;
  application: string;
  database: string | null;
  waiting: number;
  longestWaitSeconds: number;
}

/** Sessions that wait for locks, and those that hold them. */
export interface LockValues {
  waiting: number;
  longestWaitSeconds: number | null;
  blockers: Blocker[];
}

/** Only sessions that wait are asked for their blockers: the function stops the lock manager for a moment. */
const query = `
  with waiting as (
    select distinct on (pid) pid, extract(epoch from clock_timestamp() - waitstart)::float8 as seconds, pg_blocking_pids(pid) as blockers
      from pg_locks where not granted and waitstart is not null order by pid, waitstart
  )
  select a.pid, usename::text as role, application_name as application, datname::text as database,
         count(*)::int as waiting, max(w.seconds) as "longestWaitSeconds"
    from waiting w join pg_stat_activity a on a.pid = any (w.blockers)
   group by a.pid, usename, application_name, datname order by max(w.seconds) desc limit 10`;

export const locks: Collector<LockValues> = {
  name: "locks",
  needs: "pg_read_all_stats",
  async collect(observer) {
    if (!observer.facts.readsAllStats)
      throw new NotKnown("the role sees no details of other roles' sessions (pg_monitor)");
    const [waits] = await observer.query<{ waiting: number; longest: number | null }>(
      `select count(distinct pid)::int as waiting, max(extract(epoch from clock_timestamp() - waitstart))::float8 as longest
         from pg_locks where not granted`,
    );
    const waiting = waits?.waiting ?? 0;
    const blockers = waiting === 0 ? [] : await observer.query<Blocker>(query);
    return { waiting, longestWaitSeconds: waits?.longest ?? null, blockers };
  },
};
