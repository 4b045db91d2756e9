import { NotKnown } from "../../connection/observer.ts";
import type { Collector } from "../collector.ts";

/** Counters of the session's database, since `countedSince`. */
export interface ActivityValues {
  commits: number;
  rollbacks: number;
  blocksHit: number;
  blocksRead: number;
  temporaryBytes: number;
  deadlocks: number;
  /** Last reset of these counters; null if they were never reset. */
  countedSince: Date | null;
}

export const activity: Collector<ActivityValues> = {
  name: "activity",
  needs: "any role",
  async collect(observer) {
    const [row] = await observer.query<ActivityValues>(
      `select xact_commit::float8 as commits, xact_rollback::float8 as rollbacks, blks_hit::float8 as "blocksHit",
              blks_read::float8 as "blocksRead", temp_bytes::float8 as "temporaryBytes", deadlocks::float8 as deadlocks,
              stats_reset as "countedSince"
         from pg_stat_database where datname = current_database()`,
    );
    if (row === undefined) throw new NotKnown("the server shows no statistics of this database");
    return row;
  },
};
