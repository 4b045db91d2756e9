const extension = "pg_cron";

/** Number of jobs that run at once: pg_cron's default for background workers. */
const runningJobs = 5;

/** PostgreSQL's default of `max_worker_processes`. */
const defaultWorkerProcesses = 8;

/** A database with the names of its extensions. */
interface WithExtensions {
  name: string;
  extensions: readonly string[];
}

/**
 * Returns the database whose jobs pg_cron runs, or undefined if none declares it. pg_cron works in one database of a
 * server.
 */
export function cronDatabase(databases: readonly WithExtensions[]): string | undefined {
  return databases.find(({ extensions }) => extensions.includes(extension))?.name;
}

/**
 * Plans the settings of pg_cron. Its jobs run in background workers: otherwise each job connects to localhost over TCP,
 * which needs a password. The scheduler and the jobs get worker processes in addition to those of parallel queries,
 * because a job that finds none fails after 10 s.
 *
 * @param database database with the extension
 * @param planned `max_worker_processes` of the plan, if it has a value
 */
export function cronSettings(database: string, planned: string | undefined): Record<string, string> {
  const workers = Number(planned ?? defaultWorkerProcesses);
  return {
    "cron.database_name": database,
    "cron.use_background_workers": "on",
    "cron.max_running_jobs": String(runningJobs),
    max_worker_processes: String(workers + runningJobs + 1),
  };
}

/**
 * Returns the reason why the databases of one server cannot have pg_cron, or undefined if they can. A database that
 * lists it must be the only one.
 */
export function cronFault(databases: readonly WithExtensions[]): string | undefined {
  const database = cronDatabase(databases);
  if (database === undefined || databases.length === 1) return undefined;
  const others = databases.filter(({ name }) => name !== database).map(({ name }) => `'${name}'`);
  return `'${database}' lists the extension ${extension}, which works only in a stack's only database, and the stack also has ${others.join(", ")}; remove ${extension} from migrations/${database}/database.json, or give '${database}' a stack of its own`;
}
