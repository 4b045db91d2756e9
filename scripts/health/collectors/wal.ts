import { NotKnown } from "../../connection/observer.ts";
import type { Collector } from "../collector.ts";

/** WAL, archiving and checkpoints, counted since `countedSince`. */
export interface WalValues {
  bytes: number;
  countedSince: Date | null;
  timedCheckpoints: number;
  requestedCheckpoints: number;
  archive: "off" | "working" | "failing" | "nothing archived yet";
  lastArchivedAt: Date | null;
  lastArchiveFailureAt: Date | null;
}

interface Row extends Omit<WalValues, "archive"> {
  mode: string;
}

export const wal: Collector<WalValues> = {
  name: "wal",
  needs: "any role",
  async collect(observer) {
    const checkpoints =
      observer.facts.version >= 170_000
        ? `num_timed::float8 as "timedCheckpoints", num_requested::float8 as "requestedCheckpoints" from pg_stat_checkpointer`
        : `checkpoints_timed::float8 as "timedCheckpoints", checkpoints_req::float8 as "requestedCheckpoints" from pg_stat_bgwriter`;
    const [row] = await observer.query<Row>(
      `select w.wal_bytes::float8 as bytes, w.stats_reset as "countedSince", current_setting('archive_mode') as mode,
              a.last_archived_time as "lastArchivedAt", a.last_failed_time as "lastArchiveFailureAt", c.*
         from pg_stat_wal w, pg_stat_archiver a, (select ${checkpoints}) c`,
    );
    if (row === undefined) throw new NotKnown("the server returned no row");
    const { mode, ...values } = row;
    return { ...values, archive: archiveState(mode, values, observer.facts.inRecovery) };
  },
};

function archiveState(
  mode: string,
  { lastArchivedAt, lastArchiveFailureAt }: Pick<Row, "lastArchivedAt" | "lastArchiveFailureAt">,
  inRecovery: boolean,
): WalValues["archive"] {
  if (mode === "off" || (mode === "on" && inRecovery)) return "off";
  if (lastArchiveFailureAt !== null && (lastArchivedAt === null || lastArchiveFailureAt >= lastArchivedAt))
    return "failing";
  return lastArchivedAt === null ? "nothing archived yet" : "working";
}
