import { longestInterval } from "./schedule.ts";

/** Content of a dump: everything, or definitions without rows. */
export type DumpScope = "full" | "schema";

/** Schedule and retention of the dumps of one scope. */
export interface DumpSchedule {
  /** In cron syntax, UTC. */
  schedule: string;
  /** The newest intact dump of a database is kept for longer. */
  retentionDays: number;
}

/**
 * Plan of a stack's dumps. The backup container makes them. A stack without one makes them with `backup dump --due`.
 */
export interface DumpPlan extends DumpSchedule {
  /** Public keys of age. Empty: the dumps are not encrypted. */
  recipients: string[];
  /** Dumps without rows, besides the full ones. Absent if there are none. */
  schemaOnly?: DumpSchedule | undefined;
}

/** Scheduled dumps, as the settings declare them. */
export interface DeclaredDumps extends DumpPlan {
  /** True if the settings say that the dumps are not encrypted. A protected stack needs that, or a recipient. */
  isPlain: boolean;
}

/** Defaults of {@link DumpPlan}: once a day. */
export const defaultDumps: Readonly<DumpPlan> = { schedule: "0 6 * * *", retentionDays: 30, recipients: [] };

/** Returns the schedule of each scope that a plan has. */
export function scheduledScopes(plan: DumpPlan): ({ scope: DumpScope } & DumpSchedule)[] {
  const { schedule, retentionDays, schemaOnly } = plan;
  return [
    { scope: "full", schedule, retentionDays },
    ...(schemaOnly === undefined ? [] : [{ scope: "schema" as const, ...schemaOnly }]),
  ];
}

/** Number of intervals of the schedule after which the newest dump is too old. */
const lateFactor = 2;

/** Returns the age in seconds at which the newest dump of a database is too old. */
export function dumpMaxAge({ schedule }: Pick<DumpSchedule, "schedule">): number {
  return lateFactor * (longestInterval(schedule) ?? 0);
}
