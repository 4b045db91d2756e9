import type { Connection } from "../connection/connection.ts";
import { isTrusted, NotKnown, type Observer, withObserver } from "../connection/observer.ts";
import type { Known } from "../core/known.ts";
import { OperationError } from "../core/operation-error.ts";
import { lastRunsQuery, stateOfRun } from "../databases/job-runs.ts";
import { type JobState, jobFault } from "../databases/job-state.ts";
import type { Job } from "../databases/jobs.ts";
import type { JobValues } from "./collector.ts";

/** Time limits in ms of the queries. */
const limits = { applicationName: "pgroundwork health", statementTimeoutMs: 1_000, lockTimeoutMs: 500 };

type KnownJobs = Known<{ value: JobValues | null }>;

/**
 * Reads the state of the jobs that pg_cron runs in all databases of a server; null if there are none.
 *
 * @param connection connection to the database of pg_cron
 */
export async function readCronJobs(connection: Connection): Promise<KnownJobs> {
  return orReason(async () => {
    const jobs = await withObserver(connection, limits, async (observer) => {
      const [view] = await observer.query<{ isTrusted: boolean }>(
        `select ${isTrusted("c.relowner")} as "isTrusted" from pg_class c join pg_namespace n on n.oid = c.relnamespace
          where n.nspname = 'pgroundwork' and c.relname = 'job_state' and c.relkind = 'v'`,
      );
      if (view === undefined) return [];
      if (!view.isTrusted) throw new NotKnown("pgroundwork.job_state does not belong to the stack's login");
      const rows = await observer.query<Omit<JobState, "startedAt"> & { startedAt: Date | null }>(
        `select database, name, schedule, active, false as paused, failed, overdue_seconds as "overdueSeconds",
                started_at as "startedAt", null as "endedAt", null as message
           from pgroundwork.job_state order by database, name`,
      );
      return rows.map((row) => ({ ...row, startedAt: row.startedAt?.toISOString() ?? null }));
    });
    return jobs.length === 0 ? null : { runner: "pg_cron", jobs };
  });
}

/** A database with the jobs that `pgw jobs run` runs in it. */
export interface DatabaseWithJobs {
  connection: Connection;
  jobs: readonly Job[];
}

/** Reads the state of the jobs that `pgw jobs run` runs, from its records; null if there are none. */
export async function readRecordedJobs(databases: readonly DatabaseWithJobs[]): Promise<KnownJobs> {
  return orReason(async () => {
    const states: JobState[] = [];
    for (const { connection, jobs } of databases) {
      if (jobs.length === 0) continue;
      const runs = await withObserver(connection, limits, readRuns);
      states.push(...jobs.map((job) => stateOfRun(connection.database, job, runs)));
    }
    return states.length === 0 ? null : { runner: "command", jobs: states };
  });
}

async function readRuns(observer: Observer) {
  const [found] = await observer.query<{ now: Date; isPlain: boolean | null; isReadable: boolean | null }>(
    `select clock_timestamp() as now, c.relkind = 'r' and not c.relrowsecurity as "isPlain",
            has_schema_privilege(n.oid, 'usage') and has_any_column_privilege(c.oid, 'select') as "isReadable"
       from (values ('pgroundwork', 'job_run')) as wanted (schema, name)
       left join pg_namespace n on n.nspname = schema left join pg_class c on c.relnamespace = n.oid and c.relname = name`,
  );
  const now = found?.now ?? new Date();
  // The first run creates the table.
  if (found === undefined || found.isPlain === null) return { now, last: new Map() };
  if (!found.isPlain) throw new NotKnown("pgroundwork.job_run is not a plain table, and therefore not read");
  if (found.isReadable !== true)
    throw new NotKnown(`role "${observer.facts.user}" may not read the records of jobs (pgroundwork.job_run)`);
  const rows = await observer.query<{ job: string; startedAt: Date; finishedAt: Date | null } & RunFlags>(
    lastRunsQuery("null::text"),
  );
  return { now, last: new Map(rows.map(({ job, ...run }) => [job, run])) };
}

interface RunFlags {
  failed: boolean;
  error: null;
  isRunning: boolean;
}

async function orReason(read: () => Promise<JobValues | null>): Promise<KnownJobs> {
  try {
    return { known: true, value: await read() };
  } catch (error) {
    if (error instanceof NotKnown || error instanceof OperationError) return { known: false, reason: error.message };
    throw error;
  }
}

/** Judges jobs: a failed or overdue one is a warning. What `pgw jobs run` has never run is not scheduled here. */
export function judgeJobs(values: JobValues | null): ["ok" | "warning" | "unknown" | "not-applicable", string] {
  if (values === null) return ["not-applicable", "no jobs are declared"];
  const { runner, jobs } = values;
  const faults = jobs.flatMap((job) => {
    const fault = jobFault(job);
    return fault === undefined ? [] : [{ fault, text: `${job.database}: ${job.name} (${fault})` }];
  });
  const last =
    jobs
      .map(({ startedAt }) => startedAt ?? "")
      .toSorted()
      .at(-1) ?? "";
  const said = `${jobs.length} declared, ${last === "" ? "none has run yet" : `last run ${last}`}`;
  if (faults.length > 0) {
    const isUnknown = faults.every(({ fault }) => fault === "unknown");
    return [isUnknown ? "unknown" : "warning", `${said}; ${faults.map(({ text }) => text).join(", ")}: see jobs list`];
  }
  if (runner === "command" && last === "")
    return ["not-applicable", `${said}: schedule \`jobs run --due\`, as setup prints it`];
  return ["ok", said];
}
