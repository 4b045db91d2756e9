import { basename, dirname, join } from "node:path";
import { withClient } from "../connection/client.ts";
import type { Connection } from "../connection/connection.ts";
import { duration } from "../core/age.ts";
import { OperationError } from "../core/operation-error.ts";
import { databaseFolder, type JobSpec, readDatabaseFile } from "../databases/database-file.ts";
import { readJobRuns, stateOfRun } from "../databases/job-runs.ts";
import { type JobState, jobFault, readJobState } from "../databases/job-state.ts";
import { type Job, jobChanges } from "../databases/jobs.ts";
import { jobsRunCommand } from "../model/command-lines.ts";
import { jobsDatabase } from "../model/cron.ts";
import { historyJob } from "../model/job-history.ts";
import { roleName } from "../model/names.ts";
import type { StackOutputs } from "../model/stack-outputs.ts";
import { connectionTo, serverConnection } from "./outputs.ts";

/** State of a stack's jobs, or the reason why it is not known. */
export type StackJobs =
  | {
      known: true;
      /** pg_cron in the server, or the command `pgw jobs run`. */
      runner: "pg_cron" | "command";
      jobs: JobState[];
      /** Differences between the declared jobs and those of the server: `add job tidy to shop`. */
      pending: string[];
    }
  | { known: false; reason: string };

/**
 * Reads the state of the jobs that a stack's databases declare, and of those that the kit has scheduled.
 *
 * @param root project directory
 * @returns null if there are none
 */
export async function readStackJobs(outputs: StackOutputs, root: string, stack: string): Promise<StackJobs | null> {
  try {
    return outputs.server.kind === "docker"
      ? await readScheduledJobs(outputs, root)
      : await readCommandJobs(outputs, root, stack);
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return { known: false, reason: error.message };
  }
}

/** Reads the jobs that pg_cron runs. */
async function readScheduledJobs(outputs: StackOutputs, root: string): Promise<StackJobs | null> {
  const connection = serverConnection(outputs);
  const declared = new Map<string, readonly Job[]>();
  for (const name of Object.keys(outputs.databases))
    declared.set(name, (await readDatabaseFile(join(root, "migrations"), name)).jobs ?? []);
  const hasJobs = [...declared.values()].some((jobs) => jobs.length > 0);
  declared.set(jobsDatabase, hasJobs ? [historyJob] : []);
  return withClient(connection, async (client): Promise<StackJobs | null> => {
    const pending: string[] = [];
    for (const [database, jobs] of declared) {
      const role = database === jobsDatabase ? connection.user : roleName(database, "migrator");
      const changes = await jobChanges(client, { database, role }, jobs);
      pending.push(...changes.map(({ kind, name }) => `${kind} job ${name} of ${database}`));
    }
    const jobs = await readJobState(client);
    return jobs.length + pending.length === 0 ? null : { known: true, runner: "pg_cron", jobs, pending };
  });
}

/** Reads the jobs that `pgw jobs run` runs. */
async function readCommandJobs(outputs: StackOutputs, root: string, stack: string): Promise<StackJobs | null> {
  const jobs: JobState[] = [];
  for (const name of Object.keys(outputs.databases))
    jobs.push(
      ...(await readJobsOf(
        connectionTo(outputs, stack, name, "migrator"),
        name,
        databaseFolder(join(root, "migrations"), name),
      )),
    );
  return jobs.length === 0 ? null : { known: true, runner: "command", jobs, pending: [] };
}

/**
 * Reads the state of the jobs of one database that `pgw jobs run` runs.
 *
 * @param folder absolute path of the database's folder
 */
export async function readJobsOf(connection: Connection, database: string, folder: string): Promise<JobState[]> {
  const jobs = await jobsOfFolder(folder);
  if (jobs.length === 0) return [];
  const runs = await withClient(connection, readJobRuns);
  return jobs.map((job) => stateOfRun(database, job, runs));
}

/**
 * Reads the jobs in a database's folder that run without pg_cron. Optional ones are left out.
 *
 * @param folder absolute path
 */
export async function jobsOfFolder(folder: string): Promise<JobSpec[]> {
  const { jobs = [] } = await readDatabaseFile(dirname(folder), basename(folder));
  return jobs.filter(({ optional }) => !optional);
}

/**
 * Returns a warning if jobs that `pgw jobs run` runs have failed or are overdue, and on a protected stack also if they
 * have never run, with the command that runs them. Undefined if not, or if that is not known.
 */
export function jobWarning(jobs: StackJobs | null, stack: string, isProtected: boolean): string | undefined {
  if (jobs === null || !jobs.known || jobs.runner !== "command") return undefined;
  const lines = jobs.jobs.flatMap((job) => {
    const fault = jobFault(job) ?? (isProtected && job.startedAt === null ? "never" : undefined);
    if (fault === undefined) return [];
    const texts: Partial<Record<typeof fault, string>> = {
      failed: `its last run failed: ${job.message}`,
      overdue: `overdue by ${duration(job.overdueSeconds ?? 0)}`,
      never: "has never run",
    };
    return [`  ${job.database}: ${job.name}: ${texts[fault] ?? fault}`];
  });
  if (lines.length === 0) return undefined;
  const command = jobsRunCommand(stack);
  return ["Maintenance jobs need attention:", ...lines, "  Run those that are due:", `    ${command}`].join("\n");
}
