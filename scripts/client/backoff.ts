/** Delays between attempts. */
export interface Backoff {
  firstMs: number;
  /** Upper limit. A server that returns is tried within this time. */
  maxMs: number;
}

/** Delays between attempts to connect: about 80 attempts a minute, and at most 0.95 s after a server's return. */
export const connectBackoff: Backoff = { firstMs: 50, maxMs: 950 };

/** Delays before a transaction is repeated. */
export const retryBackoff: Backoff = { firstMs: 10, maxMs: 1_000 };

/**
 * Returns the delay before the next attempt: doubled for each failure, and spread between 60 % and 100 % of it, so that
 * clients that failed together do not return together.
 *
 * @param failures number of failures so far, from 1
 * @param random number from 0 to 1
 */
export function backoffMs(failures: number, { firstMs, maxMs }: Backoff, random = Math.random()): number {
  const full = Math.min(maxMs, firstMs * 2 ** Math.min(failures - 1, 30));
  return full * (0.6 + 0.4 * random);
}
