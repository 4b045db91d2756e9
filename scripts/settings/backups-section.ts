import { z } from "zod";
import { scheduleFault } from "../model/schedule.ts";
import { fromJson } from "./setting.ts";
import { suggestion } from "./suggestion.ts";

/** Settings of the backup schedule, in cron's syntax and UTC, and the retention in days. */
export interface BackupPlan {
  full: string;
  incremental: string;
  retentionDays: number;
}

export const defaultBackups: Readonly<BackupPlan> = {
  full: "0 2 * * *",
  incremental: "0 */6 * * *",
  retentionDays: 30,
};

/** A longer retention makes pgBackRest read a list of backups for minutes. */
const longestRetention = 3650;

/**
 * Parses the section `backups`: `true` for the defaults, or an object for deviations from them. The result is undefined
 * if backups are off.
 */
export function backupsSection() {
  const written = z.union([z.boolean(), z.record(z.string(), z.unknown())]);
  return fromJson(
    written.transform((section, context): BackupPlan | undefined => {
      if (section === false) return undefined;
      const given = section === true ? {} : section;
      const fault = (name: string, message: string) => context.addIssue({ code: "custom", path: [name], message });
      const plan = { ...defaultBackups };
      for (const [name, value] of Object.entries(given)) {
        if (name === "full" || name === "incremental") {
          const reason = typeof value === "string" ? scheduleFault(value) : "expected a schedule in cron's syntax";
          if (reason === undefined) plan[name] = String(value);
          else fault(name, reason);
        } else if (name === "retentionDays") {
          const days = Number(value);
          if (Number.isInteger(days) && days >= 1 && days <= longestRetention) plan.retentionDays = days;
          else fault(name, `expected a whole number of days from 1 to ${longestRetention}, got '${String(value)}'`);
        } else fault(name, `is not a setting${suggestion(name, Object.keys(defaultBackups))}`);
      }
      return plan;
    }),
  );
}
