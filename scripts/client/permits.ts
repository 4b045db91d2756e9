import { type Deadline, DeadlineError } from "./deadline.ts";

interface Waiter<Handed> {
  resolve: (handed: Handed | undefined) => void;
  reject: (reason: unknown) => void;
  /** End of the wait, on the clock of `performance.now()`. */
  at: number;
  signal: AbortSignal | undefined;
  aborted: (() => void) | undefined;
}

/**
 * Permits for the clients of a pool, first come, first served. pg-pool has a queue, too, but a caller cannot leave it:
 * with as many permits as clients, it stays empty.
 */
export class Permits<Handed> {
  readonly max: number;
  #taken = 0;
  readonly #waiters = new Set<Waiter<Handed>>();
  /** One timer for all waits, as one for each would cost a noticeable part of a statement. */
  #timer: NodeJS.Timeout | undefined;
  /** Time at which the timer ends. */
  #timerAt = Number.POSITIVE_INFINITY;

  constructor(max: number) {
    this.max = max;
  }

  get taken(): number {
    return this.#taken;
  }

  get waiting(): number {
    return this.#waiters.size;
  }

  /** Takes a permit if one is free and nobody waits for it. */
  tryTake(): boolean {
    if (this.#taken >= this.max || this.#waiters.size > 0) return false;
    this.#taken += 1;
    return true;
  }

  /**
   * Waits for a permit.
   *
   * @returns what the permit was given with
   * @throws DeadlineError, the signal's reason, or that of {@link refuseAll}
   */
  take({ at, signal }: Deadline): Promise<Handed | undefined> {
    if (this.tryTake()) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      const waiter: Waiter<Handed> = { resolve, reject, at, signal, aborted: undefined };
      if (signal !== undefined) {
        waiter.aborted = () => this.#refuse(waiter, signal.reason);
        signal.addEventListener("abort", waiter.aborted, { once: true });
      }
      this.#waiters.add(waiter);
      if (at < this.#timerAt) this.#schedule(at);
      else if (this.#waiters.size === 1) this.#timer?.ref();
    });
  }

  /**
   * Returns a permit, which goes to the first who waits.
   *
   * @param handed goes with the permit; only if {@link waiting} is more than 0
   */
  give(handed?: Handed): void {
    const [first] = this.#waiters;
    if (first === undefined) {
      this.#taken -= 1;
      return;
    }
    this.#leave(first);
    first.resolve(handed);
  }

  /** Ends all waits with an error. */
  refuseAll(reason: unknown): void {
    for (const waiter of [...this.#waiters]) this.#refuse(waiter, reason);
  }

  #refuse(waiter: Waiter<Handed>, reason: unknown): void {
    this.#leave(waiter);
    waiter.reject(reason);
  }

  #leave(waiter: Waiter<Handed>): void {
    this.#waiters.delete(waiter);
    if (waiter.aborted !== undefined) waiter.signal?.removeEventListener("abort", waiter.aborted);
    // Without a wait, the timer does not keep the process alive. The next wait may need it.
    if (this.#waiters.size === 0) this.#timer?.unref();
  }

  #schedule(at: number): void {
    clearTimeout(this.#timer);
    this.#timerAt = at;
    this.#timer = setTimeout(() => this.#expire(), Math.max(0, at - performance.now()));
  }

  /** Ends the waits whose deadline has passed. Those that it was set for may have ended before. */
  #expire(): void {
    this.#timer = undefined;
    this.#timerAt = Number.POSITIVE_INFINITY;
    // Timers can be early by a part of a millisecond.
    const now = performance.now() + 1;
    for (const waiter of [...this.#waiters])
      if (waiter.at <= now) this.#refuse(waiter, new DeadlineError("The deadline passed."));
    let next = Number.POSITIVE_INFINITY;
    for (const { at } of this.#waiters) next = Math.min(next, at);
    if (this.#waiters.size > 0) this.#schedule(next);
  }
}
