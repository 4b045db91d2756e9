import type { Client } from "pg";
import { OperationError } from "../core/operation-error.ts";
import { tableAccess } from "../ledger/kit-schema.ts";
import { nextRun, runnerIntervalMinutes, scheduledInterval } from "../model/cron.ts";
import type { JobState } from "./job-state.ts";
import type { Job } from "./jobs.ts";

/** The newest run of a job that `pgw jobs run` recorded. */
export interface JobRun {
  startedAt: Date;
  /** null if the job runs, or if the process that ran it was killed. */
  finishedAt: Date | null;
  failed: boolean;
  /** Message of the server with its SQLSTATE. null if the job has not failed, or if the role may not read it. */
  error: string | null;
  isRunning: boolean;
}

/** Newest runs of jobs by name, and the server's time. */
export interface JobRuns {
  now: Date;
  last: ReadonlyMap<string, JobRun>;
}

/** SQL for the key of the advisory lock that the process which runs a job holds, as an expression of the job's name. */
export function jobLockKey(name: string): string {
  return `pg_catalog.hashtextextended('pgroundwork job ' operator(pg_catalog.||) ${name}, 0)`;
}

/**
 * Reads the newest run of each job. A database without records has none.
 *
 * @throws OperationError if the role may not read the records
 */
export async function readJobRuns(client: Client): Promise<JobRuns> {
  const access = await tableAccess(client, "pgroundwork", "job_run");
  if (access === "denied")
    throw new OperationError("The role may not read the records of jobs (pgroundwork.job_run).", {
      hint: "Log in as the migrator.",
    });
  const { rows: clock } = await client.query<{ now: Date }>("select pg_catalog.clock_timestamp() as now");
  const now = clock[0]?.now ?? new Date();
  if (access === "absent") return { now, last: new Map() };
  const { rows } = await client.query<{ job: string } & JobRun>(lastRunsQuery("error"));
  return { now, last: new Map(rows.map(({ job, ...run }) => [job, run])) };
}

/**
 * Returns the query of the newest run of each job.
 *
 * @param error expression for the error
 */
export function lastRunsQuery(error: "error" | "null::text"): string {
  return `select job, started_at as "startedAt", finished_at as "finishedAt", failed, error,
            finished_at is null and exists (
              select from pg_catalog.pg_locks l
               where l.locktype = 'advisory' and l.granted and l.objsubid = 1
                 and l.database = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database())
                 and (l.classid::bigint << 32) | l.objid::bigint = ${jobLockKey("job")}) as "isRunning"
       from (select distinct on (job) job, started_at, finished_at, failed, ${error} as error
               from pgroundwork.job_run order by job, id desc) as last`;
}

/** Returns true if a job is to run now: it has never run, or its next time after the begin of its last run is past. */
export function isDue({ schedule }: Pick<Job, "schedule">, last: JobRun | undefined, now: Date): boolean {
  if (last === undefined) return true;
  const next = nextRun(schedule, last.startedAt);
  return next !== undefined && next <= now;
}

/**
 * Returns the state of a job as its records show it. A job that has never run is not overdue: its schedule begins with
 * its first run. Others are overdue a tenth of their interval and two intervals of the runner after they were due.
 */
export function stateOfRun(database: string, { name, schedule }: Job, { now, last }: JobRuns): JobState {
  const run = last.get(name);
  const isLost = run !== undefined && run.finishedAt === null && !run.isRunning;
  const toleratedSeconds = (scheduledInterval(schedule) ?? 0) * 1.1 + 2 * runnerIntervalMinutes * 60;
  const sinceSeconds = run === undefined ? 0 : (now.getTime() - run.startedAt.getTime()) / 1_000;
  return {
    ...{ database, name, schedule, active: true, paused: false },
    failed: run !== undefined && (run.failed || isLost),
    overdueSeconds: run === undefined || run.isRunning ? 0 : Math.max(0, sinceSeconds - toleratedSeconds),
    startedAt: run?.startedAt.toISOString() ?? null,
    endedAt: run?.finishedAt?.toISOString() ?? null,
    message: isLost ? "the process that ran it was ended before the job had finished" : (run?.error ?? null),
  };
}
