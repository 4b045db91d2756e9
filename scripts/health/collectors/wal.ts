import { NotKnown, type Observer } from "../../connection/observer.ts";
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
  /** Segments that are not archived yet; null if nothing is archived, or the role may not see it. */
  waitingSegments: number | null;
  /** Time in s without progress although a segment waits; null if none waits, or the role may not see it. */
  waitingSeconds: number | null;
}

type Waiting = Pick<WalValues, "waitingSegments" | "waitingSeconds">;

interface Row extends Omit<WalValues, "archive" | keyof Waiting> {
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
    const archive = archiveState(mode, values, observer.facts.inRecovery);
    return { ...values, archive, ...(archive === "off" ? unknown : await waiting(observer)) };
  },
};

const unknown: Waiting = { waitingSegments: null, waitingSeconds: null };

/** An archive command that hangs or is empty fails no attempt: only segments that wait show it. */
async function waiting(observer: Observer): Promise<Waiting> {
  try {
    const [row] = await observer.query<Waiting>(
      `select count(*)::int as "waitingSegments",
              extract(epoch from clock_timestamp() - greatest(min(modification), (select last_archived_time from pg_stat_archiver), pg_postmaster_start_time()))::float8
                * (case when count(*) > 0 then 1 end) as "waitingSeconds"
         from pg_ls_archive_statusdir() where name like '%.ready'`,
    );
    return row ?? unknown;
  } catch (error) {
    if (error instanceof NotKnown) return unknown;
    throw error;
  }
}

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
