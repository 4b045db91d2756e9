import { OperationError } from "../errors/operation-error.ts";
import { SqlFileError } from "../sql/run-sql.ts";
import type { Connection } from "../target/connection.ts";
import { type Blocker, BlockerWatch, describeBlocker } from "./blockers.ts";
import type { TimeoutMillis } from "./timeouts.ts";

/** lock_not_available: the lock timeout ran out, or NOWAIT said no. */
const lockNotAvailable = "55P03";

/** First and longest pause between two attempts, in ms; each is up to twice as long at random, so that deployers do not come in step. */
const firstPause = 500;
const longestPause = 15_000;

/** How often blockers are looked for, in ms, and no more rarely than twice within a lock timeout. */
const lookEvery = 500;

/** A file gave way: someone held a lock that it needs for longer than its lock timeout. */
export interface GaveWay {
  /** From 1. */
  attempt: number;
  /** The pause before the next attempt, in ms. */
  pauseMs: number;
  blockers: Blocker[];
}

export interface LockRetryOptions {
  /** Of the session that does the work. */
  pid: number;
  connection: Connection;
  timeouts: TimeoutMillis;
  onGaveWay: (gaveWay: GaveWay) => void;
  signal?: AbortSignal | undefined;
}

/**
 * Runs a file's work, and again after a pause where it ended for want of a lock: while it waits, everybody else's statements on that table queue
 * behind it, so it waits briefly and often rather than long.
 *
 * @throws OperationError naming who was in the way, when the time for retries is over; whatever else `work` throws
 */
export async function withLockRetry<T>(options: LockRetryOptions, work: () => Promise<T>): Promise<T> {
  const { pid, connection, timeouts, onGaveWay, signal } = options;
  const every = timeouts.lock > 0 ? Math.min(lookEvery, timeouts.lock / 3) : lookEvery;
  let blockers: Blocker[] = [];
  const attempt = async () => {
    const watch = new BlockerWatch(connection, pid, every);
    watch.start();
    try {
      return await work();
    } finally {
      const seen = await watch.stop();
      // On a busy machine a look may come too late: who was seen before is the one to name then.
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
  // Nearly every file gets its locks at once, and needs nothing of it.
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
        if (wanted(error) && retryDelay > 0) onGaveWay({ attempt: attemptNumber, pauseMs: retryDelay, blockers });
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
      ? "Who held it could not be told."
      : ["In its way, as last seen:", ...blockers.map((blocker) => `- ${describeBlocker(blocker)}`)].join("\n");
  return new OperationError(
    `${error.message}\nIt was tried ${times}, each time waiting for its lock for ${timeouts.lock} ms at most.\n${who}`,
    {
      remedy:
        `Let that session end, or end it (select pg_terminate_backend(PID)), then run again. ${error.remedy ?? ""}`.trim(),
      cause: error,
    },
  );
}
