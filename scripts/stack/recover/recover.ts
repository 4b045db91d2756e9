import type { StackLeftover } from "./leftover.ts";

/** A leftover after recovery. */
export interface Outcome extends StackLeftover {
  /** True if its action was done. False if it has none, or if the leftover has changed. */
  done: boolean;
}

/**
 * Performs the actions of the leftovers, one after the other.
 *
 * @param onDone called after each action that was done
 * @throws the error of an action; the earlier ones are done, and all can be run again
 */
export async function recover(
  leftovers: readonly StackLeftover[],
  onDone: (leftover: StackLeftover) => void,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const leftover of leftovers) {
    const done = leftover.act !== undefined && (await leftover.act()) !== false;
    if (done) onDone(leftover);
    outcomes.push({ ...leftover, done });
  }
  return outcomes;
}
