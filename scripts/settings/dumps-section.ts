import { type DumpPlan, defaultDumps } from "../model/dump-plan.ts";
import { longestInterval, scheduleFault } from "../model/schedule.ts";
import type { ReportFault } from "./report-fault.ts";
import { parseRetention } from "./repositories.ts";
import { suggestion } from "./suggestion.ts";

/** Scheduled dumps, as the settings declare them. */
export interface DeclaredDumps extends DumpPlan {
  /** True if the settings say that the dumps are not encrypted. A protected stack needs that, or a recipient. */
  isPlain: boolean;
}

const names = ["schedule", "retentionDays", "recipients", "encrypt"];

/** Parses `backups.dumps`: `true` for the defaults, or an object for deviations. Undefined means no scheduled dumps. */
export function parseDumps(section: unknown, fault: ReportFault): DeclaredDumps | undefined {
  if (section === undefined || section === false) return undefined;
  const given = section === true ? {} : section;
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    fault(["dumps"], `expected true, false or an object, got '${JSON.stringify(section)}'`);
    return undefined;
  }
  const report = (name: string, message: string) => fault(["dumps", name], message);
  const plan: DeclaredDumps = { ...defaultDumps, isPlain: false };
  for (const [name, value] of Object.entries(given)) {
    if (name === "schedule") {
      const reason = typeof value === "string" ? scheduleFault(value) : "expected a schedule in cron's syntax";
      if (reason !== undefined) report(name, reason);
      else if (longestInterval(String(value)) === undefined) report(name, `'${value}' never occurs twice`);
      else plan.schedule = String(value);
    } else if (name === "retentionDays") {
      plan.retentionDays = parseRetention(value, ["dumps", name], fault) ?? plan.retentionDays;
    } else if (name === "recipients") {
      const keys: unknown[] = Array.isArray(value) ? value : [];
      const isKey = (key: unknown): key is string => typeof key === "string" && /^age1[02-9ac-hj-np-z]{58}$/.test(key);
      if (keys.length > 0 && keys.every(isKey)) plan.recipients = keys;
      else report(name, "expected a list of public keys of age (age1…), which `pgw dumps key` creates");
    } else if (name === "encrypt") {
      if (!/^(true|false)$/.test(String(value))) report(name, `expected true or false, got '${String(value)}'`);
      plan.isPlain = String(value) === "false";
    } else report(name, `is not a setting${suggestion(name, names)}`);
  }
  const { encrypt, recipients } = given as { encrypt?: unknown; recipients?: unknown };
  if (String(encrypt) === "true" && recipients === undefined) report("encrypt", "needs recipients");
  if (plan.isPlain && recipients !== undefined) report("encrypt", "false and recipients exclude each other");
  return plan;
}
