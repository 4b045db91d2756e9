/** Stacks that people depend on, by the names that such stacks usually have. */
const realStacks: readonly string[] = ["staging", "production"];

/** Seed sets of invented data. */
const inventedSeeds: readonly string[] = ["dev", "demo"];

/** Whether a stack holds real data where its settings do not say. */
export function isRealStack(stack: string): boolean {
  return realStacks.includes(stack);
}

/** Whether what a seed set puts in is invented: nothing for a database with real data. */
export function isInventedSeed(set: string): boolean {
  return inventedSeeds.includes(set);
}
