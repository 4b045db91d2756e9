/** Levels of findings, from the most to the least severe. */
export const findingLevels = ["error", "warning", "info"] as const;
export type FindingLevel = (typeof findingLevels)[number];

/** A problem that a check found. */
export interface Finding {
  /** Name of the check or rule, in kebab case. It stays the same in later versions. */
  code: string;
  level: FindingLevel;
  /** Names the kind of problem, without values. */
  title: string;
  /** Says what was found, with its values. */
  detail: string;
  /** Objects with the problem: tables, indexes, roles, sessions. */
  objects: readonly string[];
  /** Says what to do; null if `detail` says it. */
  hint: string | null;
}
