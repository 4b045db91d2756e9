import { exitCode, OperationError } from "../core/operation-error.ts";
import { closeBusy } from "./cancel.ts";
import { longestTimerMs } from "./durations.ts";
import { WorkTimeoutError } from "./errors.ts";
import type { ServerClient } from "./server-client.ts";

/** Options that end a stream of rows or a COPY. */
export interface WorkOptions {
  /** Cancels the statement at the server. */
  signal?: AbortSignal;
  /** Time limit of the whole call, in ms, with the wait for a client. null: none. */
  timeoutMs?: number | null;
}

/** Ends long work on a client when the caller's signal aborts, or when a time limit passes. */
export class WorkLimits {
  /** Aborts when the work has to end, with the error for the caller. */
  readonly signal: AbortSignal;
  readonly #what: string;
  readonly #timeout = new AbortController();
  readonly #timer: NodeJS.Timeout | undefined;
  #stop: () => void = () => {};
  #closing: Promise<void> | undefined;

  /** @param what the work, as the subject of a message */
  constructor(what: string, { signal, timeoutMs }: WorkOptions) {
    if (timeoutMs !== undefined && timeoutMs !== null && !(timeoutMs > 0))
      throw new OperationError(`timeoutMs is ${timeoutMs}, expected a number above 0, or null for no limit.`, {
        exitCode: exitCode.usage,
      });
    this.#what = what;
    this.signal = signal === undefined ? this.#timeout.signal : AbortSignal.any([signal, this.#timeout.signal]);
    if (timeoutMs) this.#timer = this.#abortAfter(timeoutMs, "was not done", "Raise `timeoutMs`, or set it to null.");
  }

  /**
   * Cancels what runs on the client and closes it as soon as the work has to end.
   *
   * @throws the error for the caller if it has to end already
   */
  watch(client: ServerClient): void {
    this.signal.throwIfAborted();
    this.#stop = () => {
      const { reason } = this.signal;
      this.#closing = closeBusy(client, reason instanceof Error ? reason : undefined);
    };
    this.signal.addEventListener("abort", this.#stop, { once: true });
  }

  /** Waits for an answer of the server. The work ends if it takes longer than the limit; 0: no limit. */
  async answer<T>(limitMs: number, answer: Promise<T>): Promise<T> {
    const timer =
      limitMs > 0
        ? this.#abortAfter(limitMs, "got no answer of the server", "Set `timeoutMs` to limit the whole call instead.")
        : undefined;
    try {
      return await answer;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Returns the error for the caller: the reason why the work had to end, if it had to. */
  errorOf(error: unknown): unknown {
    return this.signal.aborted ? this.signal.reason : error;
  }

  /** Ends the limits. Afterwards, the client can be returned. */
  async end(): Promise<void> {
    clearTimeout(this.#timer);
    this.signal.removeEventListener("abort", this.#stop);
    await this.#closing;
  }

  #abortAfter(ms: number, what: string, hint: string): NodeJS.Timeout {
    const late = () => this.#timeout.abort(new WorkTimeoutError(`${this.#what} ${what} within ${ms} ms.`, { hint }));
    return setTimeout(late, Math.min(ms, longestTimerMs));
  }
}
