import { type BackupObjectives, type DrillPlan, defaultDrillSchedule, defaultMaxAge } from "../model/drill-plan.ts";
import { formatDuration, parseDuration } from "../model/duration.ts";
import { longestInterval, scheduleFault } from "../model/schedule.ts";
import type { ReportFault } from "./report-fault.ts";
import { suggestion } from "./suggestion.ts";

const durationText = "expected a duration such as 90s, 30m, 24h or 45d";

/** Parses `backups.drill`: `true` for the defaults, or an object for deviations. Undefined means no planned drills. */
export function parseDrill(section: unknown, fault: ReportFault): DrillPlan | undefined {
  if (section === undefined || section === false) return undefined;
  const given = section === true ? {} : section;
  if (!isRecord(given)) {
    fault(["drill"], `expected true, false or an object, got '${shown(section)}'`);
    return undefined;
  }
  const names = ["schedule", "maxAge", "checks", "required", "sidecar"];
  const report = (name: string, message: string) => fault(["drill", name], message);
  for (const name of Object.keys(given))
    if (!names.includes(name)) report(name, `is not a setting${suggestion(name, names)}`);
  const { schedule: written = defaultDrillSchedule } = given;
  const schedule = String(written);
  const reason = typeof written === "string" ? scheduleFault(schedule) : "expected a schedule in cron's syntax";
  const interval = reason === undefined ? longestInterval(schedule) : undefined;
  if (reason !== undefined) report("schedule", reason);
  else if (interval === undefined) report("schedule", `'${schedule}' never occurs twice`);
  const maxAge = durationOf(given.maxAge, (message) => report("maxAge", message));
  if (interval !== undefined && maxAge !== undefined && maxAge < interval)
    report("maxAge", `${formatDuration(maxAge)} is shorter than the schedule's longest interval, ${days(interval)}`);
  const flag = (name: "checks" | "required" | "sidecar", fallback: boolean) => {
    const value = given[name];
    if (value !== undefined && !/^(true|false)$/.test(String(value)))
      report(name, `expected true or false, got '${shown(value)}'`);
    return value === undefined ? fallback : String(value) === "true";
  };
  return {
    schedule,
    maxAgeSeconds: maxAge ?? (interval === undefined ? 0 : (defaultMaxAge(schedule) ?? 0)),
    checks: flag("checks", true),
    required: flag("required", false),
    sidecar: flag("sidecar", true),
  };
}

/** Parses `backups.objectives`: `{ rto: 1h, rpo: 24h }`. */
export function parseObjectives(section: unknown, fault: ReportFault): BackupObjectives | undefined {
  if (section === undefined) return undefined;
  if (!isRecord(section)) {
    fault(["objectives"], `expected an object with rto and rpo, got '${shown(section)}'`);
    return undefined;
  }
  for (const name of Object.keys(section))
    if (name !== "rto" && name !== "rpo")
      fault(["objectives", name], `is not a setting${suggestion(name, ["rto", "rpo"])}`);
  const of = (name: "rto" | "rpo") => durationOf(section[name], (message) => fault(["objectives", name], message));
  const [rtoSeconds, rpoSeconds] = [of("rto"), of("rpo")];
  return {
    ...(rtoSeconds === undefined ? {} : { rtoSeconds }),
    ...(rpoSeconds === undefined ? {} : { rpoSeconds }),
  };
}

function durationOf(value: unknown, report: (message: string) => void): number | undefined {
  if (value === undefined) return undefined;
  const seconds = typeof value === "string" ? parseDuration(value) : undefined;
  if (seconds === undefined) report(`${durationText}, got '${shown(value)}'`);
  return seconds;
}

function days(seconds: number): string {
  return seconds < 86_400 ? formatDuration(seconds) : `${Math.ceil(seconds / 86_400)}d`;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
