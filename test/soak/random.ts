/** Returns the number of repetitions of a soak test. */
export function soakRuns(standard: number): number {
  return Number(process.env.PGW_SOAK_RUNS ?? standard);
}

/** Returns the number of the first run to repeat. Earlier runs only draw their random numbers. */
export function soakFirst(): number {
  return Number(process.env.PGW_SOAK_FIRST ?? 0);
}

/**
 * Returns a generator of random numbers from 0 to 1 (mulberry32). The seed is printed: with it in `PGW_SOAK_SEED`, a
 * failed run can be repeated.
 */
export function soakRandom(): () => number {
  const seed = Number(process.env.PGW_SOAK_SEED ?? Date.now() % 2 ** 31);
  process.stderr.write(`PGW_SOAK_SEED=${seed}\n`);
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
