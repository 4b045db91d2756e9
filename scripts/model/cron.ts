import { longestInterval, nextMoment } from "./schedule.ts";

/** Name of the extension that runs jobs. */
export const cronExtension = "pg_cron";

/** Interval in minutes of the lines for cron and systemd that run due jobs on servers without pg_cron. */
export const runnerIntervalMinutes = 5;

/** Number of jobs that run at once: pg_cron's default for background workers. */
const runningJobs = 5;

/** PostgreSQL's default of `max_worker_processes`. */
const defaultWorkerProcesses = 8;

/** A database with the names of its extensions and jobs. */
export interface WithJobs {
  name: string;
  extensions: readonly string[];
  jobs: readonly string[];
}

/** The database that has pg_cron if databases declare jobs. Every server has it. */
export const jobsDatabase = "postgres";

/**
 * Returns the database in which pg_cron keeps its jobs, or undefined if none needs it: the one that lists the
 * extension, or `postgres` if databases declare jobs.
 */
export function cronDatabase(databases: readonly WithJobs[]): string | undefined {
  const own = databases.find(({ extensions }) => extensions.includes(cronExtension))?.name;
  return own ?? (databases.some(({ jobs }) => jobs.length > 0) ? jobsDatabase : undefined);
}

/**
 * Plans the settings of pg_cron. Its jobs run in background workers: otherwise each job connects to localhost over TCP,
 * which needs a password. The scheduler and the jobs get worker processes in addition to those of parallel queries,
 * because a job that finds none fails after 10 s.
 *
 * @param database database in which it keeps its jobs
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
 * Returns the reason why the databases of one server cannot have pg_cron as they declare it, or undefined if they can.
 * A database that lists it must be the only one, and cannot declare jobs, which need pg_cron in `postgres`.
 */
export function cronFault(databases: readonly WithJobs[]): string | undefined {
  const database = databases.find(({ extensions }) => extensions.includes(cronExtension));
  if (database === undefined) return undefined;
  const { name, jobs } = database;
  const lists = `'${name}' lists the extension ${cronExtension}`;
  const remove = `remove ${cronExtension} from migrations/${name}/database.json`;
  const others = databases.filter((each) => each !== database).map((each) => `'${each.name}'`);
  if (others.length > 0)
    return `${lists}, which works only in a stack's only database, and the stack also has ${others.join(", ")}; ${remove}, and declare 'jobs' there instead`;
  return jobs.length > 0
    ? `${lists} and declares jobs, which need ${cronExtension} in '${jobsDatabase}'; ${remove}`
    : undefined;
}

/** Intervals that pg_cron accepts besides cron syntax. */
const everySeconds = /^([1-9]|[1-5][0-9]) seconds?$/;

/** Returns true for `10 seconds` and the like, which pg_cron accepts besides cron syntax. */
export function isInSeconds(schedule: string): boolean {
  return everySeconds.test(schedule);
}

/**
 * Returns the longest time between two runs of a job, in seconds.
 *
 * @param schedule valid schedule of a job
 * @returns undefined if the schedule has no two moments, such as 30 February
 */
export function scheduledInterval(schedule: string): number | undefined {
  const [, seconds] = everySeconds.exec(schedule) ?? [];
  return seconds === undefined ? longestInterval(schedule) : Number(seconds);
}

/**
 * Returns the first time after another at which a job is to run. Undefined if there is none.
 *
 * @param schedule valid schedule of a job, in UTC
 */
export function nextRun(schedule: string, after: Date): Date | undefined {
  const [, seconds] = everySeconds.exec(schedule) ?? [];
  return seconds === undefined ? nextMoment(schedule, after) : new Date(after.getTime() + Number(seconds) * 1_000);
}
