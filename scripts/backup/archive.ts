import type Docker from "dockerode";
import { queryInContainer } from "../docker/server/query.ts";

/** Archiving state of a server, from pg_stat_archiver. */
export interface ArchiverState {
  archived: number;
  /** ISO 8601. */
  lastArchivedAt: string | null;
  /** Total number of failures. The archiver retries until it succeeds. */
  failed: number;
  lastFailedAt: string | null;
  lastFailedSegment: string | null;
  /** True if the last attempt failed. */
  failing: boolean;
  /** Number of segments that wait to be archived. */
  waiting: number;
  mode: string;
}

/** Archiving of a server: its state, its command, and whether it makes progress. */
export interface Archiver {
  state: ArchiverState;
  /** Setting `archive_command`. */
  command: string;
  /** Time for which nothing was archived although a segment is ready, in seconds. null if no segment is ready. */
  idleSeconds: number | null;
}

/** Reads how a server in a container archives, over its socket. */
export async function readArchiver(docker: Docker, server: string): Promise<Archiver> {
  const [found] = await queryInContainer<ArchiverState & Omit<Archiver, "state">>(
    docker,
    server,
    `select archived_count as archived, last_archived_time as "lastArchivedAt", failed_count as failed,
            last_failed_time as "lastFailedAt", last_failed_wal as "lastFailedSegment",
            last_failed_time > coalesce(last_archived_time, '-infinity') is true as failing,
            waiting, current_setting('archive_mode') as mode, current_setting('archive_command') as command,
            case when oldest is not null then extract(epoch from clock_timestamp()
              - greatest(oldest, last_archived_time, pg_postmaster_start_time()))::int end as "idleSeconds"
       from pg_stat_archiver,
            (select count(*)::int as waiting, min(modification) as oldest
               from pg_ls_archive_statusdir() where name like '%.ready') ready`,
  );
  if (found === undefined) throw new Error("pg_stat_archiver has no row.");
  const { command, idleSeconds, ...state } = found;
  return { state, command, idleSeconds };
}
