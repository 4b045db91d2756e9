import type { Client } from "pg";
import { inTransaction } from "../connection/session.ts";

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

/** Prefix of the names of the kit's jobs. Other jobs are not touched. */
const prefix = "pgroundwork: ";

/** Row of cron.job. */
interface Row {
  id: string;
  name: string;
  schedule: string;
  command: string;
  active: boolean;
  role: string;
}

/**
 * Returns the kit's jobs of a database. Returns undefined if pg_cron is not loaded, if it is not installed in the
 * connection's database, or if the login is no superuser and cannot see the jobs of others.
 */
async function readJobs(client: Client, database: string): Promise<Row[] | undefined> {
  const { rows: state } = await client.query<{ isReady: boolean }>(
    `SELECT EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'pg_cron')
            AND pg_catalog.current_setting('cron.database_name', true) = pg_catalog.current_database()
            AND (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = CURRENT_USER) AS "isReady"`,
  );
  if (!state[0]?.isReady) return undefined;
  const { rows } = await client.query<Row>(
    `SELECT jobid::text AS id, pg_catalog.substr(jobname, $2) AS name, schedule, command, active, username AS role
       FROM cron.job WHERE database = $1 AND pg_catalog.starts_with(jobname, $3) ORDER BY jobname`,
    [database, prefix.length + 1, prefix],
  );
  return rows;
}

function changesBetween(rows: readonly Row[], { role }: JobTarget, jobs: readonly Job[]): JobChange[] {
  const isSame = (row: Row, job: Job) =>
    row.active && row.role === role && row.schedule === job.schedule && row.command === job.command;
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
    const rows = (await readJobs(client, target.database)) ?? [];
    const changes = changesBetween(rows, target, jobs);
    for (const { name } of changes) {
      const job = jobs.find((each) => each.name === name);
      const row = rows.find((each) => each.name === name);
      if (job === undefined) await client.query("DELETE FROM cron.job WHERE jobid = $1", [row?.id]);
      else {
        const wanted = [job.schedule, job.command, target.database, target.role];
        // Scheduling an existing job again does not activate it.
        await (row === undefined
          ? client.query("SELECT cron.schedule_in_database($1, $2, $3, $4, $5, true)", [`${prefix}${name}`, ...wanted])
          : client.query("SELECT cron.alter_job($1, $2, $3, $4, $5, true)", [row.id, ...wanted]));
      }
    }
    return changes;
  });
}

/** Removes all jobs of a database that no longer exists, so that they do not fail from now on. */
export async function removeJobsOf(client: Client, database: string): Promise<void> {
  if ((await readJobs(client, database)) === undefined) return;
  await client.query("DELETE FROM cron.job WHERE database = $1", [database]);
}
