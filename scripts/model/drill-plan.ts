import { longestInterval } from "./schedule.ts";

/** Schedule of restore drills, and what their results decide. */
export interface DrillPlan {
  /** In cron syntax, UTC. */
  schedule: string;
  /** Age in seconds at which the last passed drill is overdue. */
  maxAgeSeconds: number;
  /** True to run the queries in `migrations/<database>/checks` on the restored copy. */
  checks: boolean;
  /** True if `up` changes no data without a current drill that has passed. */
  required: boolean;
  /** True to run the drills in a container of the stack. */
  sidecar: boolean;
}

/** Limits for the results of a drill, in seconds. A limit that is absent is not compared. */
export interface BackupObjectives {
  /** Start of the drill to the first query on the copy. */
  rtoSeconds?: number;
  /** Age of the newest data that the copy has. */
  rpoSeconds?: number;
}

/** Default schedule of drills: the first day of each month. */
export const defaultDrillSchedule = "0 3 1 * *";

/** Number of intervals of the schedule after which a drill is overdue, if the settings do not say. */
const lateFactor = 2;

/** Returns the default of `maxAgeSeconds`. Undefined for a schedule with less than two moments. */
export function defaultMaxAge(schedule: string): number | undefined {
  const interval = longestInterval(schedule);
  return interval === undefined ? undefined : lateFactor * interval;
}
