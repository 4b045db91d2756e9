/** How often a soak test repeats its fault. */
export function soakRuns(standard: number): number {
  return Number(process.env.PGW_SOAK_RUNS ?? standard);
}

/**
 * Random numbers from 0 to 1 that a seed repeats (mulberry32): a run that failed can be had again with `PGW_SOAK_SEED`. The seed is printed.
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
