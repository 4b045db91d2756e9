/** Stacks that people depend on, by their usual names. */
const realStacks: readonly string[] = ["staging", "production"];

/** Seed sets with invented data. */
const inventedSeeds: readonly string[] = ["dev", "demo"];

/** Returns true if a stack holds real data, judged by its name. Used if its settings do not say. */
export function isRealStack(stack: string): boolean {
  return realStacks.includes(stack);
}

/** Returns true if a seed set contains invented data, which must not be applied to a database with real data. */
export function isInventedSeed(set: string): boolean {
  return inventedSeeds.includes(set);
}
