interface Waiter {
  grant: () => void;
}

/**
 * Permits for the clients of a pool, first come, first served. pg-pool has a queue, too, but a caller cannot leave it:
 * with as many permits as clients, it stays empty.
 */
export class Permits {
  readonly max: number;
  #taken = 0;
  readonly #waiters = new Set<Waiter>();

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
   * @throws the signal's reason
   */
  async take(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.tryTake()) return;
    await new Promise<void>((resolve, reject) => {
      const leave = () => {
        this.#waiters.delete(waiter);
        reject(signal.reason);
      };
      const waiter = {
        grant: () => {
          signal.removeEventListener("abort", leave);
          resolve();
        },
      };
      this.#waiters.add(waiter);
      signal.addEventListener("abort", leave, { once: true });
    });
  }

  /** Returns a permit, which goes to the first who waits. */
  give(): void {
    const [first] = this.#waiters;
    if (first === undefined) {
      this.#taken -= 1;
      return;
    }
    this.#waiters.delete(first);
    first.grant();
  }
}
