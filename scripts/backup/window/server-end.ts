import { setTimeout as sleep } from "node:timers/promises";
import type Docker from "dockerode";
import { runInContainer } from "../../docker/run-in-container.ts";
import { queryInContainer, SocketError } from "../../docker/server/query.ts";
import { isRunning } from "../../docker/server/running.ts";
import { askServerWal, readServerWal } from "../server-wal.ts";
import { paths } from "../stack-backups.ts";
import { parseLsn, parseSegment } from "../wal.ts";

/** Position up to which a server has written, and the time at which it had not written more. */
export interface ServerEnd {
  timeline: number;
  /** Microseconds since 1970. Every commit up to this time is before `lsn`. */
  at: bigint;
  lsn: bigint;
}

const endQuery = `select pg_is_in_recovery() as "isStandby", (extract(epoch from at) * 1000000)::bigint::text as at,
    inserted, pg_walfile_name(inserted::pg_lsn) as segment,
    (select setting::int from pg_settings where name = 'wal_writer_delay') as "writerDelayMs"
  from (select clock_timestamp() as at,
               case when not pg_is_in_recovery() then pg_current_wal_insert_lsn()::text end as inserted offset 0) now`;

const flushQuery = "select pg_current_wal_flush_lsn()::text as flushed";

/**
 * A session takes the time of its commit shortly before it writes the record. One that was interrupted in between for
 * longer than this would be missed.
 */
const commitDelay = 1_000_000n;

/** PostgreSQL writes an asynchronous commit after at most this many rounds of its WAL writer. */
const writerRounds = 3;

const longestWaitMs = 5_000;

/** WAL that a server has written and archived, as far as it says. */
export interface WrittenWal {
  end: ServerEnd | { unknown: string };
  /** Newest segment that the server counts as archived. undefined if unknown. */
  archived: string | undefined;
}

/**
 * Finds how far a server has written, from the server or, if it is stopped, from its data directory.
 *
 * @param container has the cluster's volume at its usual path
 */
export async function findServerEnd(docker: Docker, server: string, container: string): Promise<WrittenWal> {
  if (!(await isRunning(docker, server))) {
    const { written, archived } = await readServerWal(docker, container);
    return { end: "unknown" in written ? written : await stoppedEnd(docker, container, written), archived };
  }
  const end = await runningEnd(docker, server).catch((error: unknown) => {
    if (error instanceof SocketError) return { unknown: error.message };
    throw error;
  });
  return { end, archived: (await askServerWal(docker, server)).archived };
}

interface EndAnswer {
  isStandby: boolean;
  at: string;
  inserted: string | null;
  segment: string | null;
  writerDelayMs: number;
}

async function runningEnd(docker: Docker, server: string): Promise<ServerEnd | { unknown: string }> {
  const [answer] = await queryInContainer<EndAnswer>(docker, server, endQuery);
  if (answer === undefined || answer.isStandby || answer.inserted === null || answer.segment === null)
    return { unknown: "the server is in recovery" };
  const inserted = parseLsn(answer.inserted);
  const flushed = async () => {
    const [{ flushed: lsn } = { flushed: "0/0" }] = await queryInContainer<{ flushed: string }>(
      docker,
      server,
      flushQuery,
    );
    return parseLsn(lsn);
  };
  let lsn = await flushed();
  const waitMs = writerRounds * answer.writerDelayMs;
  if (lsn < inserted && waitMs <= longestWaitMs) {
    await sleep(waitMs);
    lsn = await flushed();
  } else if (lsn < inserted) return { unknown: "the server has not written its WAL to the disk yet" };
  const { timeline } = parseSegment(answer.segment);
  return { timeline, at: BigInt(answer.at) - commitDelay, lsn };
}

async function stoppedEnd(
  docker: Docker,
  container: string,
  written: Omit<ServerEnd, "at">,
): Promise<ServerEnd | { unknown: string }> {
  const script = `at=$(pg_controldata ${paths.data} | sed -n 's/^Time of latest checkpoint: *//p'); date -d "$at" +%s`;
  const { code, stdout } = await runInContainer(docker, container, {
    command: ["sh", "-c", script],
    user: "postgres",
    environment: { TZ: "UTC", LC_ALL: "C" },
  });
  if (code !== 0) return { unknown: "the time at which the server was shut down could not be read" };
  return { ...written, at: BigInt(stdout.trim()) * 1_000_000n };
}
