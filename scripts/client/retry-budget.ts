import { setTimeout as sleep } from "node:timers/promises";

/**
 * Limits the repetitions of a whole pool: many callers that fail together would otherwise overload a server that just
 * came back. A bucket of tokens that fills steadily.
 */
export class RetryBudget {
  readonly #perSecond: number;
  readonly #capacity: number;
  #tokens: number;
  #at = performance.now();

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
    // A short burst is allowed: the clients that one failover interrupts.
    this.#capacity = Math.max(1, 2 * perSecond);
    this.#tokens = this.#capacity;
  }

  /**
   * Waits for a token.
   *
   * @returns false if none is available before the deadline (on the clock of `performance.now()`)
   */
  async take(deadline: number, signal?: AbortSignal): Promise<boolean> {
    if (this.#perSecond === 0) return false;
    const now = performance.now();
    this.#tokens = Math.min(this.#capacity, this.#tokens + ((now - this.#at) / 1_000) * this.#perSecond);
    this.#at = now;
    // A negative number of tokens is a queue: each caller waits for its own.
    const waitMs = Math.max(0, ((1 - this.#tokens) / this.#perSecond) * 1_000);
    if (now + waitMs > deadline) return false;
    this.#tokens -= 1;
    if (waitMs > 0) await sleep(waitMs, undefined, signal === undefined ? {} : { signal });
    return true;
  }
}
