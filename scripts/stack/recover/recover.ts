import type { StackLeftover } from "./leftover.ts";

/** A leftover after recovery. */
export interface Outcome extends StackLeftover {
  /** True if its action was done. False if it has none, or if the leftover has changed. */
  done: boolean;
  /** Result of the action, if that depends on what it found. */
  result?: string;
}

/**
 * Performs the actions of the leftovers, one after the other.
 *
 * @param onDone called after each action that was done
 * @throws the error of an action; the earlier ones are done, and all can be run again
 */
export async function recover(
  leftovers: readonly StackLeftover[],
  onDone: (outcome: Outcome) => void,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const leftover of leftovers) {
    const answer = leftover.act === undefined ? false : await leftover.act();
    const done = answer !== false;
    const outcome = { ...leftover, done, ...(typeof answer === "string" ? { result: answer } : {}) };
    if (done) onDone(outcome);
    outcomes.push(outcome);
  }
  return outcomes;
}
