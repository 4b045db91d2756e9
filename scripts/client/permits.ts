import { type Deadline, DeadlineError } from "./deadline.ts";

interface Waiter<Handed> {
  grant: (handed: Handed | undefined) => void;
  refuse: (reason: unknown) => void;
}

/**
 * Permits for the clients of a pool, first come, first served. pg-pool has a queue, too, but a caller cannot leave it:
 * with as many permits as clients, it stays empty.
 */
export class Permits<Handed> {
  readonly max: number;
  #taken = 0;
  readonly #waiters = new Set<Waiter<Handed>>();

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
   * Waits for a permit. Each wait has a timer and a listener of its own: composed signals cost more than a statement.
   *
   * @returns what the permit was given with
   * @throws DeadlineError, the signal's reason, or that of {@link refuseAll}
   */
  take({ at, signal }: Deadline): Promise<Handed | undefined> {
    if (this.tryTake()) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiters.delete(waiter);
        clearTimeout(timer);
        signal?.removeEventListener("abort", aborted);
      };
      const waiter: Waiter<Handed> = {
        grant: (handed) => {
          leave();
          resolve(handed);
        },
        refuse: (reason) => {
          leave();
          reject(reason);
        },
      };
      const aborted = () => waiter.refuse(signal?.reason);
      const timer = setTimeout(
        () => waiter.refuse(new DeadlineError("The deadline passed.")),
        Math.max(0, at - performance.now()),
      );
      this.#waiters.add(waiter);
      signal?.addEventListener("abort", aborted, { once: true });
    });
  }

  /**
   * Returns a permit, which goes to the first who waits.
   *
   * @param handed goes with the permit; only if {@link waiting} is more than 0
   */
  give(handed?: Handed): void {
    const [first] = this.#waiters;
    if (first === undefined) this.#taken -= 1;
    else first.grant(handed);
  }

  /** Ends all waits with an error. */
  refuseAll(reason: unknown): void {
    for (const waiter of [...this.#waiters]) waiter.refuse(reason);
  }
}
