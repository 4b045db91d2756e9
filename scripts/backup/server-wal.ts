import type Docker from "dockerode";
import { runInContainer } from "../docker/run-in-container.ts";
import { queryInContainer, SocketError } from "../docker/server/query.ts";
import { paths } from "./stack-backups.ts";
import { isSegmentName, parseLsn } from "./wal.ts";

/** WAL state of a server, from the server itself or from its data directory. */
export interface ServerWal {
  /** Newest segment that the server counts as archived. undefined if unknown. */
  archived: string | undefined;
  /** Position up to which the server has written, or the reason it is unknown. */
  written: { lsn: bigint; timeline: number } | { unknown: string };
}

const serverQuery = `select lsn::text as lsn, coalesce(archived, '') as archived, timeline
  from (select case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end as lsn) w,
       (select timeline_id as timeline from pg_control_checkpoint()) c,
       (select max(name) as archived
          from (select substr(name, 1, 24) as name from pg_ls_archive_statusdir() where name ~ '^[0-9A-F]{24}\\.done$'
                union all
                select last_archived_wal from pg_stat_archiver where last_archived_wal ~ '^[0-9A-F]{24}$') n) a`;

/** Reads the WAL state of a running server in a container, over its socket. */
export async function askServerWal(docker: Docker, server: string): Promise<ServerWal> {
  try {
    const [answer] = await queryInContainer<{ lsn: string; archived: string; timeline: number }>(
      docker,
      server,
      serverQuery,
    );
    if (answer === undefined) return { archived: undefined, written: { unknown: "the server did not answer" } };
    const { lsn, archived, timeline } = answer;
    return { archived: archived === "" ? undefined : archived, written: { lsn: parseLsn(lsn), timeline } };
  } catch (error) {
    if (!(error instanceof SocketError)) throw error;
    return { archived: undefined, written: { unknown: error.message } };
  }
}

/**
 * Reads the WAL state of a stopped server from its data directory.
 *
 * @param container has the volume with the cluster at its usual path
 */
export async function readServerWal(docker: Docker, container: string): Promise<ServerWal> {
  const script = `ls ${paths.data}/pg_wal/archive_status; LC_ALL=C pg_controldata ${paths.data}`;
  const { stdout } = await runInContainer(docker, container, { command: ["sh", "-c", script], user: "postgres" });
  return parseServerWal(stdout);
}

/**
 * Offset of a segment's first record. A shutdown checkpoint there is the only record of its segment, and holds no rows.
 */
const shutdownCheckpoint = 40n;

/**
 * Parses the WAL state of a stopped server.
 *
 * @param text names in archive_status and the output of pg_controldata
 */
export function parseServerWal(text: string): ServerWal {
  const lines = text.split("\n");
  const value = (name: string) =>
    lines
      .find((line) => line.startsWith(`${name}:`))
      ?.slice(name.length + 1)
      .trim();
  const done = lines.filter((line) => line.endsWith(".done")).map((line) => line.slice(0, -".done".length));
  const archived = done.filter(isSegmentName).sort().at(-1);
  const [state, location] = [value("Database cluster state"), value("Latest checkpoint location")];
  if (state === undefined || location === undefined)
    return { archived, written: { unknown: "the server is stopped and its data directory could not be read" } };
  if (state !== "shut down")
    return { archived, written: { unknown: `the server is stopped and was not shut down cleanly (${state})` } };
  const lsn = parseLsn(location);
  const segmentBytes = BigInt(value("Bytes per WAL segment") ?? 0);
  const inSegment = segmentBytes > 0n ? lsn % segmentBytes : 0n;
  const timeline = Number(value("Latest checkpoint's TimeLineID"));
  return { archived, written: { lsn: inSegment <= shutdownCheckpoint ? lsn - inSegment : lsn, timeline } };
}

/** WAL that is on the server but not in the archive, in bytes. No restore includes it. */
export type NotArchived = { bytes: number } | { unknown: string };

/**
 * Measures the WAL that is not archived.
 *
 * @param end end of the archive
 */
export function measureNotArchived(
  { written }: ServerWal,
  end: { timeline: number; lsn: bigint } | undefined,
): NotArchived {
  if ("unknown" in written) return written;
  if (end === undefined) return { unknown: "the archive is empty" };
  if (written.timeline !== end.timeline)
    return {
      unknown: `the server is on timeline ${written.timeline}, but the archive ends on timeline ${end.timeline}`,
    };
  return { bytes: written.lsn > end.lsn ? Number(written.lsn - end.lsn) : 0 };
}
