import { type DeclaredDumps, type DumpSchedule, defaultDumps } from "../model/dump-plan.ts";
import { longestInterval, scheduleFault } from "../model/schedule.ts";
import type { ReportFault } from "./report-fault.ts";
import { parseRetention } from "./repositories.ts";
import { suggestion } from "./suggestion.ts";

const scheduleNames = ["schedule", "retentionDays"] as const;
const names = [...scheduleNames, "recipients", "encrypt", "schemaOnly"];

/** Parses `backups.dumps`: `true` for the defaults, or an object for deviations. Undefined means no scheduled dumps. */
export function parseDumps(section: unknown, fault: ReportFault): DeclaredDumps | undefined {
  const given = objectIn(section, ["dumps"], fault);
  if (given === undefined) return undefined;
  const report = (name: string, message: string) => fault(["dumps", name], message);
  const { recipients = [], ...defaults } = defaultDumps;
  const plan: DeclaredDumps = {
    ...parseSchedule(given, defaults, ["dumps"], fault),
    recipients: [...recipients],
    isPlain: false,
  };
  for (const [name, value] of Object.entries(given)) {
    if (name === "recipients") {
      const keys: unknown[] = Array.isArray(value) ? value : [];
      const isKey = (key: unknown): key is string => typeof key === "string" && /^age1[02-9ac-hj-np-z]{58}$/.test(key);
      if (keys.length > 0 && keys.every(isKey)) plan.recipients = keys;
      else report(name, "expected a list of public keys of age (age1…), which `pgw dumps key` creates");
    } else if (name === "encrypt") {
      if (!/^(true|false)$/.test(String(value))) report(name, `expected true or false, got '${String(value)}'`);
      plan.isPlain = String(value) === "false";
    } else if (name === "schemaOnly") {
      const schemaOnly = parseSchemaOnly(value, plan, fault);
      if (schemaOnly !== undefined) plan.schemaOnly = schemaOnly;
    } else if (!names.includes(name)) report(name, `is not a setting${suggestion(name, names)}`);
  }
  const { encrypt, recipients: written } = given;
  if (String(encrypt) === "true" && written === undefined) report("encrypt", "needs recipients");
  if (plan.isPlain && written !== undefined) report("encrypt", "false and recipients exclude each other");
  return plan;
}

/** Parses `schemaOnly`. Its defaults are those of the full dumps. */
function parseSchemaOnly(
  section: unknown,
  { schedule, retentionDays }: DumpSchedule,
  fault: ReportFault,
): DumpSchedule | undefined {
  const path = ["dumps", "schemaOnly"];
  const given = objectIn(section, path, fault);
  if (given === undefined) return undefined;
  for (const name of Object.keys(given))
    if (!scheduleNames.some((each) => each === name))
      fault([...path, name], `is not a setting${suggestion(name, scheduleNames)}`);
  return parseSchedule(given, { schedule, retentionDays }, path, fault);
}

function parseSchedule(
  { schedule, retentionDays }: Readonly<Record<string, unknown>>,
  defaults: DumpSchedule,
  path: readonly string[],
  fault: ReportFault,
): DumpSchedule {
  const plan = { ...defaults };
  if (schedule !== undefined) {
    const reason = typeof schedule === "string" ? scheduleFault(schedule) : "expected a schedule in cron's syntax";
    if (reason !== undefined) fault([...path, "schedule"], reason);
    else if (longestInterval(String(schedule)) === undefined)
      fault([...path, "schedule"], `'${schedule}' never occurs twice`);
    else plan.schedule = String(schedule);
  }
  if (retentionDays !== undefined)
    plan.retentionDays = parseRetention(retentionDays, [...path, "retentionDays"], fault) ?? plan.retentionDays;
  return plan;
}

/** Returns the object of a section, which `true` abbreviates. Undefined if it is off or wrong. */
function objectIn(
  section: unknown,
  path: readonly string[],
  fault: ReportFault,
): Readonly<Record<string, unknown>> | undefined {
  if (section === undefined || section === false) return undefined;
  if (section === true) return {};
  if (typeof section === "object" && section !== null && !Array.isArray(section))
    return section as Record<string, unknown>;
  fault(path, `expected true, false or an object, got '${JSON.stringify(section)}'`);
  return undefined;
}
