import type { BackupObjectives } from "../../model/drill-plan.ts";
import { formatDuration } from "../../model/duration.ts";
import { parseLsn } from "../wal.ts";
import type { RecordedMigrations } from "./migrations.ts";

/** A measured value and its limit, in seconds. */
export interface ComparedObjective {
  name: "RTO" | "RPO";
  allowedSeconds: number;
  /** null: not known. */
  measuredSeconds: number | null;
  missed: boolean;
}

/**
 * Compares the measured values of a drill with their limits.
 *
 * An old last commit is no loss if the copy has all that the live server had written when the drill began: then nothing
 * was written since. Without that proof, the age of the last commit counts.
 *
 * @param hasEverything see {@link hasAllWritten}
 */
export function compareObjectives(
  { rtoSeconds, rpoSeconds }: BackupObjectives,
  measured: { rtoSeconds: number | null; rpoSeconds: number | null },
  hasEverything: boolean,
): ComparedObjective[] {
  const compared = (name: ComparedObjective["name"], allowed: number | undefined, value: number | null, met = false) =>
    allowed === undefined
      ? []
      : [{ name, allowedSeconds: allowed, measuredSeconds: value, missed: !met && value !== null && value > allowed }];
  return [
    ...compared("RTO", rtoSeconds, measured.rtoSeconds),
    ...compared("RPO", rpoSeconds, measured.rpoSeconds, hasEverything),
  ];
}

/**
 * Returns true if a copy has everything that the live server had written when the drill began. False also if that is
 * not known.
 */
export function hasAllWritten(
  before: RecordedMigrations | string,
  reached: { lsn: string; timeline: number },
): boolean {
  return typeof before !== "string" && before.timeline === reached.timeline && parseLsn(reached.lsn) >= before.lsn;
}

/** Returns the reasons for which objectives fail a drill, or leave its outcome unknown. */
export function objectiveReasons(
  compared: readonly ComparedObjective[],
  hasEverything: boolean,
): { missed: string[]; unknown: string[] } {
  const missed = compared
    .filter((each) => each.missed)
    .map(
      ({ name, measuredSeconds, allowedSeconds }) =>
        `the ${name} of ${measuredSeconds} s misses the objective of ${allowedSeconds} s (${formatDuration(allowedSeconds)})`,
    );
  const unknown = compared
    .filter(({ name, measuredSeconds }) => measuredSeconds === null && !(name === "RPO" && hasEverything))
    .map(({ name, allowedSeconds }) => `the ${name} is not known; the objective is ${allowedSeconds} s`);
  return { missed, unknown };
}
