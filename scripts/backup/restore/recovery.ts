import type Docker from "dockerode";
import { runInContainer } from "../../docker/run-in-container.ts";
import { queryInContainer } from "../../docker/server/query.ts";
import { causeIn } from "../diagnosis.ts";
import { repositoryOptions, type StackBackups } from "../stack-backups.ts";
import { parseHistory, type TimelineEnd } from "../wal.ts";

/** File that a recovering server requested from the archive. */
export interface ArchiveRequest {
  name: string;
  /** Exit code of pgBackRest: 0 if found, 1 if not in the archive, anything else is an error. */
  code: number;
  /** pgBackRest's message, if there was an error. */
  cause?: string;
}

/** Extent of a server's recovery. */
export interface Recovery {
  /** Replayed timelines, oldest first. The `end` of the last one is where recovery ended. */
  timelines: TimelineEnd[];
  /** Commit time of the last replayed transaction: ISO 8601, UTC, microseconds. null if none was replayed. */
  lastCommitAt: string | null;
  requests: ArchiveRequest[];
  segmentBytes: number;
}

const log = "/tmp/archive-get.log";
const errors = "/tmp/archive-get-error";

/**
 * Returns the `restore_command` of a scratch server. PostgreSQL treats every failure as the end of the archive. Only
 * pgBackRest's exit code tells an error from a missing file, so each request is logged with its code.
 *
 * @param lastSegment last segment to replay, without its timeline. Newer ones count as missing. Omit to replay all
 */
export function restoreCommand(stack: StackBackups, lastSegment?: string): string {
  const limit =
    lastSegment === undefined
      ? []
      : [
          `name=%f; case $name in *.*) ;; *) if [ "\${name#????????}" \\> ${lastSegment} ]; then`,
          `echo "%f 1" >>${log}; exit 1; fi ;; esac;`,
        ];
  return [
    ...limit,
    `pgbackrest ${repositoryOptions(stack)}`,
    // PostgreSQL runs the command in its data directory.
    '--pg1-path="$PWD"',
    // Asynchronous archive-get of pgBackRest 2.55 can fail across a timeline switch. Older stacks have it in their
    // configuration.
    `--no-archive-async archive-get %f "%p" >${errors} 2>&1; code=$?; echo "%f $code" >>${log};`,
    `if [ $code -gt 1 ]; then cp ${errors} ${errors}.%f; cat ${errors} >&2; fi; exit $code`,
  ].join(" ");
}

interface Answer {
  lastCommitAt: string | null;
  /** Hexadecimal, because a damaged history file may contain bytes that are not text. */
  history: string;
  segmentBytes: number;
}

/**
 * At the end of recovery, the server starts a new timeline. Its history file has the position where the previous one
 * ended.
 */
const query = `select
    to_char(pg_last_xact_replay_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "lastCommitAt",
    encode(pg_read_binary_file(format('pg_wal/%s.history', lpad(upper(to_hex(s.timeline_id)), 8, '0'))), 'hex') as history,
    (select setting::int from pg_settings where name = 'wal_segment_size') as "segmentBytes"
  from pg_split_walfile_name(pg_walfile_name(pg_current_wal_insert_lsn())) s`;

/** Reads how far the server in a container recovered. The server must accept connections. */
export async function readRecovery(docker: Docker, container: string): Promise<Recovery> {
  const [answer] = await queryInContainer<Answer>(docker, container, query);
  if (answer === undefined) throw new Error("The server did not report how far it recovered.");
  const { history, ...rest } = answer;
  const timelines = parseHistory(Buffer.from(history, "hex").toString("latin1"));
  return { ...rest, timelines, requests: await readRequests(docker, container) };
}

async function readRequests(docker: Docker, container: string): Promise<ArchiveRequest[]> {
  const read = async (path: string) =>
    (await runInContainer(docker, container, { command: ["cat", path], user: "postgres" })).stdout;
  const requests: ArchiveRequest[] = [];
  for (const line of (await read(log)).split("\n").filter((each) => each !== "")) {
    const [name = "", code = "0"] = line.split(" ");
    const isError = Number(code) > 1;
    requests.push({
      name,
      code: Number(code),
      ...(isError ? { cause: causeIn(await read(`${errors}.${name}`)) } : {}),
    });
  }
  return requests;
}
