import type { Finding } from "./finding.ts";

/** A finding after recovery. */
export interface Outcome extends Finding {
  /** True if its action was done. False if it has none, or if the leftover has changed. */
  done: boolean;
}

/**
 * Performs the actions of the findings, one after the other.
 *
 * @param onDone called after each action that was done
 * @throws the error of an action; the earlier ones are done, and all can be run again
 */
export async function takeBack(findings: readonly Finding[], onDone: (finding: Finding) => void): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const finding of findings) {
    const done = finding.act !== undefined && (await finding.act()) !== false;
    if (done) onDone(finding);
    outcomes.push({ ...finding, done });
  }
  return outcomes;
}
