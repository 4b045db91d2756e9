import { setTimeout as sleep } from "node:timers/promises";

export interface PollOptions {
  /** Pause between two attempts. */
  intervalMs: number | (() => number);
  /** Time limit. The attempt during which it ends is completed. Default: none. */
  timeoutMs?: number;
  /** Ends the wait with its own reason. */
  signal?: AbortSignal | undefined;
  /** Makes the error for the time limit. Required with a limit. */
  timedOut?: () => Promise<Error> | Error;
}

/**
 * Repeats an attempt until it returns something other than undefined, and returns that.
 *
 * @throws the attempt's error, the error of `timedOut`, or the signal's reason
 */
export async function poll<T>(
  attempt: () => Promise<T | undefined>,
  { intervalMs, timeoutMs = Number.POSITIVE_INFINITY, signal, timedOut }: PollOptions,
): Promise<T> {
  // A clock that is set while this waits changes nothing.
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    signal?.throwIfAborted();
    const result = await attempt();
    if (result !== undefined) return result;
    if (performance.now() > deadline) throw (await timedOut?.()) ?? new Error(`not done within ${timeoutMs} ms`);
    // The error of an aborted pause is less precise than the signal's reason, which the next round throws.
    const pauseMs = typeof intervalMs === "number" ? intervalMs : intervalMs();
    await sleep(pauseMs, undefined, signal === undefined ? {} : { signal }).catch(() => {});
  }
}
