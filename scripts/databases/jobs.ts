import type { Client } from "pg";
import { inTransaction } from "../connection/session.ts";
import { scheduledInterval } from "../model/cron.ts";
import { createJobState, jobPrefix, pausedByRestore } from "./job-state.ts";

/** A job that pg_cron runs. */
export interface Job {
  name: string;
  schedule: string;
  command: string;
}

/** The database in which jobs run, and the role as which they run. */
export interface JobTarget {
  database: string;
  role: string;
}

/** A difference between the declared jobs and those of the server. */
export interface JobChange {
  kind: "add" | "change" | "remove";
  name: string;
}

/** Row of cron.job. */
interface Row {
  id: string;
  name: string;
  schedule: string;
  command: string;
  active: boolean;
  /** True if a restore in place paused it, until someone confirms it. */
  paused: boolean;
  role: string;
  /** Longest time between two runs, in seconds. Null if it is not recorded. */
  interval: string | null;
}

/**
 * Returns the kit's jobs of a database. Returns undefined if pg_cron is not loaded, if it is not installed in the
 * connection's database, or if the login is no superuser and cannot see the jobs of others.
 */
async function readJobs(client: Client, database: string): Promise<Row[] | undefined> {
  const { rows: state } = await client.query<{ isReady: boolean; hasState: boolean }>(
    `SELECT EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'pg_cron')
            AND pg_catalog.current_setting('cron.database_name', true) = pg_catalog.current_database()
            AND (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = CURRENT_USER) AS "isReady",
            pg_catalog.to_regclass('pgroundwork.job_state') IS NOT NULL AS "hasState"`,
  );
  if (!state[0]?.isReady) return undefined;
  const interval = "(SELECT interval_seconds::text FROM pgroundwork.job_state AS state WHERE state.id = jobid)";
  const { rows } = await client.query<Row>(
    `SELECT jobid::text AS id, pg_catalog.substr(jobname, $2) AS name, schedule, command, active, NOT active AND ${pausedByRestore} AS paused,
            username AS role,
            ${state[0].hasState ? interval : "NULL"} AS interval
       FROM cron.job WHERE database = $1 AND pg_catalog.starts_with(jobname, $3) ORDER BY jobname`,
    [database, jobPrefix.length + 1, jobPrefix],
  );
  return rows;
}

function changesBetween(rows: readonly Row[], { role }: JobTarget, jobs: readonly Job[]): JobChange[] {
  const isSame = (row: Row, job: Job) =>
    (row.active || row.paused) &&
    row.role === role &&
    row.schedule === job.schedule &&
    row.command === job.command &&
    row.interval === String(scheduledInterval(job.schedule));
  return [
    ...jobs.flatMap((job): JobChange[] => {
      const row = rows.find(({ name }) => name === job.name);
      if (row === undefined) return [{ kind: "add", name: job.name }];
      return isSame(row, job) ? [] : [{ kind: "change", name: job.name }];
    }),
    ...rows
      .filter(({ name }) => !jobs.some((job) => job.name === name))
      .map(({ name }): JobChange => ({ kind: "remove", name })),
  ];
}

/** Lists the differences between the declared jobs of a database and the kit's jobs on the server. */
export async function jobChanges(client: Client, target: JobTarget, jobs: readonly Job[]): Promise<JobChange[]> {
  return changesBetween((await readJobs(client, target.database)) ?? [], target, jobs);
}

/**
 * Makes the kit's jobs of a database those that are declared. Must run as a superuser in the database of pg_cron.
 *
 * @returns the changes
 */
export async function reconcileJobs(client: Client, target: JobTarget, jobs: readonly Job[]): Promise<JobChange[]> {
  return inTransaction(client, async () => {
    const found = await readJobs(client, target.database);
    if (found === undefined && jobs.length === 0) return [];
    // The databases of a stack reconcile their jobs at the same time.
    await client.query("LOCK TABLE cron.job IN SHARE ROW EXCLUSIVE MODE");
    await createJobState(client);
    const rows = (await readJobs(client, target.database)) ?? [];
    const changes = changesBetween(rows, target, jobs);
    for (const { name } of changes) {
      const job = jobs.find((each) => each.name === name);
      const row = rows.find((each) => each.name === name);
      if (job === undefined) await client.query("DELETE FROM cron.job WHERE jobid = $1", [row?.id]);
      else await schedule(client, target, job, row);
    }
    await forgetRemovedJobs(client);
    return changes;
  });
}

/** Adds or changes a job. Scheduling an existing job again would not activate it. A paused job stays paused. */
async function schedule(client: Client, target: JobTarget, job: Job, existing: Row | undefined): Promise<void> {
  const wanted = [job.schedule, job.command, target.database, target.role];
  let id = existing?.id;
  if (id === undefined) {
    const { rows } = await client.query<{ id: string }>(
      "SELECT cron.schedule_in_database($1, $2, $3, $4, $5, true)::text AS id",
      [`${jobPrefix}${job.name}`, ...wanted],
    );
    id = rows[0]?.id;
  } else
    await client.query("SELECT cron.alter_job($1, $2, $3, $4, $5, $6)", [id, ...wanted, existing?.paused !== true]);
  await client.query(
    `INSERT INTO pgroundwork.job (id, interval_seconds) VALUES ($1, $2)
     ON CONFLICT (id) DO UPDATE SET interval_seconds = excluded.interval_seconds, changed_at = now()`,
    [id, scheduledInterval(job.schedule)],
  );
}

async function forgetRemovedJobs(client: Client): Promise<void> {
  await client.query("DELETE FROM pgroundwork.job WHERE NOT EXISTS (SELECT FROM cron.job WHERE jobid = id)");
}

/** Removes all jobs of a database that no longer exists, so that they do not fail from now on. */
export async function removeJobsOf(client: Client, database: string): Promise<void> {
  if ((await readJobs(client, database)) === undefined) return;
  await client.query("DELETE FROM cron.job WHERE database = $1", [database]);
}

/**
 * Makes all jobs of a database run in it under its new name, and as its roles under their new names. Must run in the
 * transaction that renames them, in the database of pg_cron.
 *
 * @param roles new names of the database's roles, by old name
 */
export async function moveJobs(
  client: Client,
  from: string,
  to: string,
  roles: Readonly<Record<string, string>>,
): Promise<void> {
  if ((await readJobs(client, from)) === undefined) return;
  await client.query("UPDATE cron.job SET database = $2 WHERE database = $1", [from, to]);
  for (const [old, renamed] of Object.entries(roles))
    await client.query("UPDATE cron.job SET username = $2 WHERE username = $1", [old, renamed]);
}
