import type { Finding } from "./finding.ts";

/** A finding after recovering. */
export interface Outcome extends Finding {
  /** Whether its action was done; false where it has none. */
  done: boolean;
}

/**
 * Takes back what was found, one after the other.
 *
 * @param onDone is told of each action that was done
 * @throws what an action failed on; those before it are done, and all can be run again
 */
export async function takeBack(findings: readonly Finding[], onDone: (finding: Finding) => void): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const finding of findings) {
    await finding.act?.();
    if (finding.act !== undefined) onDone(finding);
    outcomes.push({ ...finding, done: finding.act !== undefined });
  }
  return outcomes;
}
