/** A point in time, and the caller's signal. Waiting for it ends with whichever comes first. */
export interface Deadline {
  /** On the clock of `performance.now()`. */
  at: number;
  signal?: AbortSignal | undefined;
}

/** The deadline passed. */
export class DeadlineError extends Error {
  override readonly name = "DeadlineError";
}

/**
 * Runs an operation with a signal that aborts at the deadline, or when one of the signals does.
 *
 * @throws DeadlineError, the signal's reason, or the error of the operation
 */
export async function withinDeadline<T>(
  { at, signal }: Deadline,
  signals: readonly AbortSignal[],
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const timeout = new AbortController();
  const timer = setTimeout(
    () => timeout.abort(new DeadlineError("The deadline passed.")),
    Math.max(0, at - performance.now()),
  );
  try {
    return await run(AbortSignal.any([timeout.signal, ...signals, ...(signal === undefined ? [] : [signal])]));
  } finally {
    clearTimeout(timer);
  }
}

/** Waits for a promise until the signal aborts. The promise is left to its owner then. */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let leave: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    leave = () => reject(signal.reason);
    signal.addEventListener("abort", leave, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    if (leave !== undefined) signal.removeEventListener("abort", leave);
  }
}
