import { ageInSeconds, ago, duration, isInFuture } from "../../core/age.ts";
import type { DrillPlan } from "../../model/drill-plan.ts";
import { nextMoment } from "../../model/schedule.ts";
import type { DrillRecord, DrillRun } from "./run.ts";

/** Record of the last drills, or the reason why it could not be read. */
export type ReadDrillRecord = { record: DrillRecord | undefined } | { unreadable: string };

/** Result of comparing the last drills with their plan. */
export interface DrillState {
  /**
   * - `current`: the last drill that gave a result has passed, and is not too old.
   * - `none`: no drill has passed or failed yet.
   * - `failed`: the last drill that gave a result has failed.
   * - `overdue`: the last passed drill is older than the plan allows.
   * - `clock`: its time is in the future, so its age is not known.
   * - `unknown`: the record could not be read.
   */
  state: "current" | "none" | "failed" | "overdue" | "clock" | "unknown";
  text: string;
}

/** Compares the last drills with their plan. A drill that could not run changes nothing but the text. */
export function judgeDrills(read: ReadDrillRecord, plan: Pick<DrillPlan, "maxAgeSeconds">, now: Date): DrillState {
  if ("unreadable" in read)
    return { state: "unknown", text: `The state of restore drills is not known: ${read.unreadable}` };
  const { record } = read;
  if (record === undefined) return { state: "none", text: "No restore drill has been made." };
  const { last, lastConclusive, lastPassed } = record;
  const blocked = last.outcome === "could not run" ? ` ${couldNotRun(last)}` : "";
  if (lastConclusive === null) return { state: "none", text: `No restore drill has given a result yet.${blocked}` };
  if (lastConclusive.outcome === "failed" || lastPassed === null)
    return {
      state: "failed",
      text: `The last restore drill, started at ${lastConclusive.startedAt}, has failed: ${reasonOf(lastConclusive)}.${blocked}`,
    };
  const age = ageInSeconds(lastPassed.startedAt, now);
  const passed = `The last restore drill that passed started at ${lastPassed.startedAt}`;
  if (isInFuture(age)) {
    const text = `${passed}, which is in the future (by ${duration(-age)}), so its age is not known.${blocked}`;
    return { state: "clock", text };
  }
  if (age > plan.maxAgeSeconds) {
    const allowed = duration(plan.maxAgeSeconds);
    return { state: "overdue", text: `${passed}, ${ago(age)}; at most ${allowed} are allowed.${blocked}` };
  }
  return { state: "current", text: `${passed}, ${ago(age)}.${blocked}` };
}

/** Result of {@link isDrillDue}. */
export type DrillDue = { due: true } | { due: false /** ISO 8601. */; next: string };

/**
 * Decides if a drill is due: if its schedule had a moment since the last drill that gave a result. It is also due if
 * there is none, or if its time is in the future, because a clock was wrong.
 */
export function isDrillDue(
  record: DrillRecord | undefined,
  { schedule }: Pick<DrillPlan, "schedule">,
  now: Date,
): DrillDue {
  const last = record?.lastConclusive;
  if (last === undefined || last === null || isInFuture(ageInSeconds(last.startedAt, now))) return { due: true };
  const next = nextMoment(schedule, new Date(last.startedAt));
  if (next === undefined || next <= now) return { due: true };
  return { due: false, next: next.toISOString() };
}

function couldNotRun(run: DrillRun): string {
  return `The last one, started at ${run.startedAt}, could not run: ${reasonOf(run)}.`;
}

/** Returns the first reason, which is the most important one, without its full stop. */
function reasonOf({ reasons }: DrillRun): string {
  return (reasons[0] ?? "no reason was recorded").replace(/\.$/, "");
}
