import pg from "pg";
import { exitCode, OperationError } from "../../../core/operation-error.ts";
import { cronExtension, jobsDatabase } from "../../../model/cron.ts";
import {
  isNothing,
  type PausedJob,
  type PausedSubscription,
  type PausedWork,
  parsePaused,
  pausedFile,
} from "../../../model/paused-work.ts";
import type { SocketServer } from "../contents.ts";

/*
 * A restored cluster has the jobs and subscriptions of its time. A job may send or delete what the present has already
 * sent or deleted. A subscription would move the publisher's slot, which the former cluster needs after an undo. Both
 * are paused in the restored cluster before it becomes the live one, while its server starts neither.
 */

/** Work that is on, or off, in a cluster. */
interface FoundWork {
  jobsDatabase: string | null;
  jobs: (PausedJob & { active: boolean })[];
  subscriptions: (PausedSubscription & { active: boolean })[];
}

/**
 * Pauses the jobs of pg_cron and the subscriptions of a restored cluster. Its server must run neither of them.
 *
 * @returns what is paused, with what an earlier restore in the history of the cluster paused
 */
export async function pauseWork(server: SocketServer): Promise<PausedWork> {
  const [found, earlier] = [await findWork(server), await readPausedFile(server)];
  // Event triggers and rules of the user must not see it.
  for (const { database, name } of found.subscriptions.filter(({ active }) => active))
    await server.execute(
      `set event_triggers = off; alter subscription ${pg.escapeIdentifier(name)} disable;`,
      database,
    );
  if (found.jobsDatabase !== null && found.jobs.some(({ active }) => active))
    // The trigger of pg_cron needs its library, which the server has not loaded.
    await server.execute(
      "set session_replication_role = replica; update cron.job set active = false where active;",
      found.jobsDatabase,
    );
  const wasPaused = pausedBy(earlier);
  return {
    jobsDatabase: found.jobsDatabase,
    jobs: found.jobs.filter((job) => job.active || wasPaused.job(job)).map(({ active: _, ...job }) => job),
    subscriptions: found.subscriptions
      .filter((each) => each.active || wasPaused.subscription(each))
      .map(({ active: _, ...each }) => each),
  };
}

/** Reads what is still paused in a live cluster. Jobs and subscriptions that someone enabled since do not count. */
export async function readPaused(server: SocketServer): Promise<PausedWork> {
  const paused = await readPausedFile(server);
  if (paused === undefined) return { jobsDatabase: null, jobs: [], subscriptions: [] };
  const found = await findWork(server);
  const wasPaused = pausedBy(paused);
  return {
    jobsDatabase: found.jobsDatabase,
    jobs: found.jobs.filter((job) => !job.active && wasPaused.job(job)).map(({ active: _, ...job }) => job),
    subscriptions: found.subscriptions
      .filter((each) => !each.active && wasPaused.subscription(each))
      .map(({ active: _, ...each }) => each),
  };
}

/**
 * Enables the jobs and subscriptions that a restore in place paused. If a call was interrupted, the next one continues.
 *
 * @param forget removes the list from the cluster
 * @throws OperationError (wrong usage) if nothing is paused
 */
export async function resumeWork(
  server: SocketServer,
  confirm: (paused: PausedWork) => Promise<void>,
  forget: () => Promise<void>,
): Promise<PausedWork> {
  const paused = await readPaused(server);
  if (isNothing(paused)) {
    // Someone has enabled all of them.
    await forget();
    throw new OperationError("No job and no subscription is paused by a restore in place.", {
      hint: "Nothing was changed.",
      exitCode: exitCode.usage,
    });
  }
  await confirm(paused);
  const statements = enablingStatements(paused);
  for (const { database, sql } of statements) await server.execute(sql, database);
  await forget();
  return paused;
}

/** Returns the statements that enable what is paused, each with the database in which it has to run. */
export function enablingStatements({ jobsDatabase: jobsIn, jobs, subscriptions }: PausedWork): {
  database: string;
  sql: string;
}[] {
  return [
    ...jobs.map(({ id }) => ({
      database: jobsIn ?? jobsDatabase,
      sql: `select cron.alter_job(${id}, active := true);`,
    })),
    ...subscriptions.map(({ database, name }) => ({
      database,
      sql: `alter subscription ${pg.escapeIdentifier(name)} enable;`,
    })),
  ];
}

function pausedBy(paused: PausedWork | undefined) {
  const ids = new Set(paused?.jobs.map(({ id }) => id));
  const names = new Set(paused?.subscriptions.map(({ database, name }) => JSON.stringify([database, name])));
  return {
    job: ({ id }: PausedJob) => ids.has(id),
    subscription: ({ database, name }: PausedSubscription) => names.has(JSON.stringify([database, name])),
  };
}

/** The path is relative to the data directory. */
async function readPausedFile(server: SocketServer): Promise<PausedWork | undefined> {
  const [found] = await server.query<{ text: string | null }>(`select pg_read_file('${pausedFile}', true) as text`);
  return found?.text == null ? undefined : parsePaused(found.text);
}

async function findWork(server: SocketServer): Promise<FoundWork> {
  const subscriptions = await server.query<FoundWork["subscriptions"][number]>(
    `select d.datname as database, s.subname as name, s.subenabled as active
       from pg_subscription s join pg_database d on d.oid = s.subdbid where d.datallowconn order by 1, 2`,
  );
  // The setting is known even if the library is not loaded.
  const [cron] = await server.query<{ name: string }>(
    `select datname as name from pg_database
      where datallowconn and datname = coalesce(nullif(current_setting('cron.database_name', true), ''), '${jobsDatabase}')`,
  );
  const [extension] =
    cron === undefined
      ? []
      : await server.query<{ name: string }>(
          `select extname as name from pg_extension where extname = '${cronExtension}'`,
          cron.name,
        );
  if (cron === undefined || extension === undefined) return { jobsDatabase: null, jobs: [], subscriptions };
  const jobs = await server.query<FoundWork["jobs"][number]>(
    "select jobid::text as id, jobname as name, database, schedule, active from cron.job order by jobid",
    cron.name,
  );
  return { jobsDatabase: cron.name, jobs, subscriptions };
}
