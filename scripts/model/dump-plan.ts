import { longestInterval } from "./schedule.ts";

/** Schedule of the dumps that a stack's backup container makes. */
export interface DumpPlan {
  /** In cron syntax, UTC. */
  schedule: string;
  /** The newest intact dump of a database is kept for longer. */
  retentionDays: number;
  /** Public keys of age. Empty: the dumps are not encrypted. */
  recipients: string[];
}

/** Defaults of {@link DumpPlan}: once a day. */
export const defaultDumps: Readonly<DumpPlan> = { schedule: "0 6 * * *", retentionDays: 30, recipients: [] };

/** Number of intervals of the schedule after which the newest dump is too old. */
const lateFactor = 2;

/** Returns the age in seconds at which the newest dump of a database is too old. */
export function dumpMaxAge({ schedule }: Pick<DumpPlan, "schedule">): number {
  return lateFactor * (longestInterval(schedule) ?? 0);
}
