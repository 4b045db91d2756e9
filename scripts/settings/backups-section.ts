import { z } from "zod";
import type { BackupObjectives, DrillPlan } from "../model/drill-plan.ts";
import type { DeclaredDumps } from "../model/dump-plan.ts";
import { isRemote, type Repository } from "../model/repository.ts";
import { scheduleFault } from "../model/schedule.ts";
import { parseDrill, parseObjectives } from "./drill-section.ts";
import { parseDumps } from "./dumps-section.ts";
import { reportTo } from "./report-fault.ts";
import { parseRepositories, parseRetention, secretName } from "./repositories.ts";
import { fromJson } from "./setting.ts";
import { suggestion } from "./suggestion.ts";

/**
 * Settings of the backup schedule, in cron's syntax and UTC, of the repositories, the scheduled dumps and the restore
 * drills.
 */
export interface BackupPlan {
  full: string;
  incremental: string;
  /** Retention in days of repositories that have none of their own. */
  retentionDays: number;
  /**
   * Share of the space for WAL that may wait for a repository: what is free in the data volume, and the WAL that waits.
   * Beyond it, the WAL is dropped. 100: all of it is kept until the disk is full, which stops the server.
   */
  walLimitPercent: number;
  /** One or two. A volume comes first. */
  repositories: Repository[];
  /** Encrypts the repositories. Default: one that `up` creates and keeps with the cluster. */
  passphrase?: string;
  /** Number of the repositories' generation. Each has a passphrase of its own. Default: 1. */
  generation?: number;
  /** Absent if no dumps are scheduled. */
  dumps?: DeclaredDumps;
  /** Absent if no drills are planned. */
  drill?: DrillPlan;
  objectives?: BackupObjectives;
}

export const defaultBackups: Readonly<Pick<BackupPlan, "full" | "incremental" | "retentionDays" | "walLimitPercent">> =
  {
    full: "0 2 * * *",
    incremental: "0 */6 * * *",
    retentionDays: 30,
    walLimitPercent: 50,
  };

const names = [
  ...Object.keys(defaultBackups),
  "repositories",
  "passphrase",
  "generation",
  "dumps",
  "drill",
  "objectives",
];

const remoteDrill =
  "the drill's container has no network, so it needs a repository in a volume; set it to false and run " +
  "`backup drill --due` by cron";

/** A shorter passphrase could be guessed by someone who has the repository. */
const shortestPassphrase = 20;

/** Each generation makes the archive command longer. */
const largestGeneration = 99;

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
      const report = reportTo(context);
      const plan: BackupPlan = { ...defaultBackups, repositories: [] };
      const dumps = parseDumps(given.dumps, report);
      const drill = parseDrill(given.drill, report);
      const objectives = parseObjectives(given.objectives, report);
      for (const [name, value] of Object.entries(given)) {
        if (name === "full" || name === "incremental") {
          const reason = typeof value === "string" ? scheduleFault(value) : "expected a schedule in cron's syntax";
          if (reason === undefined) plan[name] = String(value);
          else report([name], reason);
        } else if (name === "retentionDays") {
          plan.retentionDays = parseRetention(value, [name], report) ?? plan.retentionDays;
        } else if (name === "walLimitPercent") {
          const percent = Number(value);
          if (Number.isInteger(percent) && percent >= 1 && percent <= 100) plan.walLimitPercent = percent;
          else report([name], `expected a whole number from 1 to 100, got '${String(value)}'`);
        } else if (name === "passphrase") {
          if (typeof value === "string" && value.length >= shortestPassphrase && /^[\x21-\x7e]+$/.test(value))
            plan.passphrase = value;
          else report([name], `expected at least ${shortestPassphrase} printable ASCII characters without spaces`);
        } else if (name === "generation") {
          const number = Number(value);
          if (Number.isInteger(number) && number >= 1 && number <= largestGeneration) plan.generation = number;
          else report([name], `expected a whole number from 1 to ${largestGeneration}, got '${String(value)}'`);
        } else if (!names.includes(name)) report([name], `is not a setting${suggestion(name, names)}`);
      }
      const { retentionDays } = plan;
      plan.repositories =
        given.repositories === undefined
          ? [{ type: "volume", retentionDays }]
          : parseRepositories(given.repositories, retentionDays, report);
      if (drill?.sidecar === true && plan.repositories.slice(0, 1).some(isRemote))
        report(["drill", "sidecar"], remoteDrill);
      return {
        ...plan,
        ...(dumps === undefined ? {} : { dumps }),
        ...(drill === undefined ? {} : { drill }),
        ...(objectives === undefined ? {} : { objectives }),
      };
    }),
  );
}

/** Settings `backups` of a server that is not in a container: it has only dumps. `backup dump --due` makes them. */
export type DumpsOnly = Pick<BackupPlan, "dumps">;

/** Parses the section `backups` of a server that is not in a container. Undefined if no dumps are planned. */
export function dumpsOnlySection() {
  const written = z.union([z.boolean(), z.record(z.string(), z.unknown())]);
  return fromJson(
    written.transform((section, context): DumpsOnly | undefined => {
      if (section === false) return undefined;
      const report = reportTo(context);
      if (section === true) {
        report([], `needs a server in a container; ${onlyDumps}`);
        return undefined;
      }
      for (const name of Object.keys(section)) {
        if (name === "dumps") continue;
        const isElsewhere = names.includes(name);
        report([name], isElsewhere ? `needs a server in a container; ${onlyDumps}` : `is not a setting; ${onlyDumps}`);
      }
      const dumps = parseDumps(section.dumps, report);
      return dumps === undefined ? undefined : { dumps };
    }),
  );
}

const onlyDumps = "another server can have only dumps: {dumps: true}";

/** Returns the path of a secret that the user wrote into the settings. Undefined if there is none. */
export function writtenSecret({ repositories = [], passphrase }: Partial<BackupPlan>): string | undefined {
  if (passphrase !== undefined) return "passphrase";
  const index = repositories.findIndex(isRemote);
  const found = repositories[index];
  return found && `repositories[${index}].${secretName(found)}`;
}
