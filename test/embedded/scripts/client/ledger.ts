import { expect } from "vitest";
import { OutcomeUnknownError } from "../../../../scripts/client/errors.ts";
import type { Pool } from "../../../../scripts/client/pool.ts";

/** Writes whose results are compared with the table `writes`. */
export interface Ledger {
  /** Number of writes that were acknowledged so far. */
  readonly acknowledged: number;
  /** Waits until one more write than now is acknowledged. Returns the time it took, in ms. */
  nextAcknowledged(): Promise<number>;
  /** Ends the writers when their last write has ended. */
  stop(): Promise<void>;
  /** Compares the rows with the answers: each acknowledged write exists once, and no other but the unknown ones. */
  check(keys: readonly string[]): void;
}

/**
 * Starts writers that insert one row after the other, by statements and by transactions.
 *
 * @param prefix beginning of all keys
 */
export function startLedger(pool: Pool, prefix: string, writers = 4): Ledger {
  const acknowledged: string[] = [];
  const unknown = new Set<string>();
  let number = 0;
  let running = true;
  let acknowledge = () => {};
  const text = "insert into writes (key) values ($1)";
  const writer = async () => {
    while (running) {
      number += 1;
      const [key, byTransaction] = [`${prefix}${number}`, number % 2 === 0];
      const write = byTransaction
        ? pool.transaction((transaction) => transaction.query(text, [key]))
        : pool.query(text, [key]);
      await write.then(
        () => {
          acknowledged.push(key);
          acknowledge();
        },
        (error: unknown) => {
          if (!(error instanceof OutcomeUnknownError)) throw error;
          // A server that comes back with the same data knows the result of each COMMIT, unless it was restarted.
          if (byTransaction && !error.message.includes("has restarted since")) throw error;
          unknown.add(key);
        },
      );
    }
  };
  const all = Promise.all(Array.from({ length: writers }, writer));
  // Reported by stop().
  all.catch(() => {});
  return {
    get acknowledged() {
      return acknowledged.length;
    },
    nextAcknowledged: async () => {
      const started = performance.now();
      await Promise.race([all, new Promise<void>((resolve) => (acknowledge = resolve))]);
      return performance.now() - started;
    },
    stop: async () => {
      running = false;
      await all;
      expect(pool.stats.used).toBe(0);
    },
    check: (keys) => {
      expect(new Set(keys).size).toBe(keys.length);
      expect(keys.filter((key) => !unknown.has(key)).sort()).toEqual(
        acknowledged.filter((key) => !unknown.has(key)).sort(),
      );
      expect(acknowledged.length).toBeGreaterThan(0);
    },
  };
}
