import type { Connection } from "../connection/connection.ts";
import { OperationError } from "../core/operation-error.ts";
import { SqlFileError } from "../sql/run-sql.ts";
import { type Blocker, BlockerWatch, describeBlocker } from "./blockers.ts";
import type { TimeoutMillis } from "./timeouts.ts";

/** lock_not_available: the lock timeout expired, or NOWAIT failed. */
const lockNotAvailable = "55P03";

/**
 * Shortest and longest pause between two attempts, in ms. A random factor of up to 2 keeps deployers from retrying in
 * step.
 */
const firstPause = 500;
const longestPause = 15_000;

/** Longest interval between two checks for blockers, in ms. A lock timeout has room for at least two checks. */
const lookEvery = 500;

/** A lock timeout of a file: another session held a lock that the file needs for longer than its lock timeout. */
export interface LockTimeout {
  /** Starts at 1. */
  attempt: number;
  /** The pause before the next attempt, in ms. */
  pauseMs: number;
  blockers: Blocker[];
}

/** Options of {@link withLockRetry}. */
export interface LockRetryOptions {
  /** Process id of the session that does the work. */
  pid: number;
  connection: Connection;
  timeouts: TimeoutMillis;
  onLockTimeout: (timedOut: LockTimeout) => void;
  signal?: AbortSignal | undefined;
}

/**
 * Runs a file's work, and retries it after a pause if it hit the lock timeout. While it waits for a lock, all other
 * statements on that table queue behind it. So it waits briefly and often instead of long.
 *
 * @throws OperationError that names the blockers, if the time for retries is over; any other error of `work`
 */
export async function withLockRetry<T>(options: LockRetryOptions, work: () => Promise<T>): Promise<T> {
  const { pid, connection, timeouts, onLockTimeout, signal } = options;
  const every = timeouts.lock > 0 ? Math.min(lookEvery, timeouts.lock / 3) : lookEvery;
  let blockers: Blocker[] = [];
  const attempt = async () => {
    const watch = new BlockerWatch(connection, pid, every);
    watch.start();
    try {
      return await work();
    } finally {
      const seen = await watch.stop();
      // On a busy machine a check can come too late. Then the blockers seen before are the ones to name.
      if (seen.length > 0) blockers = seen;
    }
  };
  const wanted = (error: Error) => error instanceof SqlFileError && error.sqlstate === lockNotAvailable;
  const begun = performance.now();
  const first = attempt();
  try {
    return await first;
  } catch (error) {
    if (!(error instanceof Error && wanted(error))) throw error;
  }
  // Nearly every file gets its locks at once and does not need this module.
  const { default: pRetry } = await import("p-retry");
  let attempts = 0;
  try {
    return await pRetry((attemptNumber) => (attemptNumber === 1 ? first : attempt()), {
      retries: Number.POSITIVE_INFINITY,
      maxRetryTime: Math.max(0, timeouts.retry - (performance.now() - begun)),
      minTimeout: firstPause,
      maxTimeout: longestPause,
      factor: 2,
      randomize: true,
      ...(signal === undefined ? {} : { signal }),
      shouldRetry: ({ error }) => wanted(error),
      onFailedAttempt: ({ error, attemptNumber, retryDelay }) => {
        attempts = attemptNumber;
        if (wanted(error) && retryDelay > 0) onLockTimeout({ attempt: attemptNumber, pauseMs: retryDelay, blockers });
      },
    });
  } catch (error) {
    if (!(error instanceof SqlFileError && wanted(error))) throw error;
    throw gaveUp(error, attempts, timeouts, blockers);
  }
}

function gaveUp(error: SqlFileError, attempts: number, timeouts: TimeoutMillis, blockers: Blocker[]): OperationError {
  const times = attempts === 1 ? "once" : `${attempts} times`;
  const who =
    blockers.length === 0
      ? "The session that held the lock is not known."
      : ["Last seen blocked by:", ...blockers.map((blocker) => `- ${describeBlocker(blocker)}`)].join("\n");
  return new OperationError(
    `${error.message}\nIt was tried ${times}, with a lock timeout of ${timeouts.lock} ms.\n${who}`,
    {
      hint: `Wait for that session to end, or terminate it (select pg_terminate_backend(PID)), then run again. ${error.hint ?? ""}`.trim(),
      cause: error,
    },
  );
}
