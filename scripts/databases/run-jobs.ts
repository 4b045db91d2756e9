import type { Client } from "pg";
import { withClient } from "../connection/client.ts";
import type { Connection } from "../connection/connection.ts";
import { isFromServer } from "../connection/server-fault.ts";
import { destroySocket, detectLostClients } from "../connection/session.ts";
import { withDeploymentLock } from "../ledger/deployment-lock.ts";
import { ensureLedger, tableAccess } from "../ledger/kit-schema.ts";
import { provenance } from "../ledger/provenance.ts";
import { nextRun } from "../model/cron.ts";
import { historyDays } from "../model/job-history.ts";
import { withFile } from "../sql/file-session.ts";
import { isDue, jobLockKey, readJobRuns } from "./job-runs.ts";
import type { Job } from "./jobs.ts";

/**
 * Limits of a job's session. They replace those of the database and the role, and a job can set others itself. A job
 * that waits for a lock gives up before the statements that wait behind it become slow.
 */
export const jobLimits: Readonly<Record<string, string>> = { lock_timeout: "10s", statement_timeout: "1h" };

/** Result of one job. */
export type JobResult = { name: string } & (
  | { outcome: "succeeded"; seconds: number }
  | { outcome: "failed"; error: string }
  /** Another process runs it. */
  | { outcome: "busy" }
  | { outcome: "not due"; next: Date | undefined }
);

/** Jobs of one database, and how to run them. */
export interface RunRequest {
  connection: Connection;
  jobs: readonly Job[];
  /** True to run all of them, also those that are not due. */
  isForced: boolean;
  signal: AbortSignal;
  runId: string;
  onStart: (name: string) => void;
  /** Called with each message of a job: warnings and notices. */
  onMessage: (name: string, message: string) => void;
}

/**
 * Runs the due jobs of a database, one after the other, as the connection's role. A job that fails does not prevent the
 * others. Any number of processes can do this at the same time: an advisory lock of each job excludes the others, in a
 * session that outlives the job's own. Begin, end and error of each run are recorded in `pgroundwork.job_run`.
 *
 * @throws ConnectionError if the database cannot be reached; the signal's reason if it aborts
 */
export async function runJobs(request: RunRequest): Promise<JobResult[]> {
  const { connection, jobs, isForced, signal } = request;
  return withClient(connection, async (client) => {
    const runs = await readJobRuns(client);
    const due = jobs.filter((job) => isForced || isDue(job, runs.last.get(job.name), runs.now));
    if (due.length > 0) await prepare(client, signal);
    const results: JobResult[] = [];
    for (const job of jobs) {
      signal.throwIfAborted();
      const last = runs.last.get(job.name);
      if (due.includes(job)) results.push(await runExclusively(client, job, request));
      else results.push({ name: job.name, outcome: "not due", next: last && nextRun(job.schedule, last.startedAt) });
    }
    return results;
  });
}

/** Creates the table of records if it does not exist, and removes old ones. The newest one of each job stays. */
async function prepare(client: Client, signal: AbortSignal): Promise<void> {
  if ((await tableAccess(client, "pgroundwork", "job_run")) === "absent")
    await withDeploymentLock(
      client,
      () => ensureLedger(client, "job_run"),
      () => {},
      signal,
    );
  await client.query(
    `delete from pgroundwork.job_run as run
      where started_at < now() - interval '${historyDays} days'
        and exists (select from pgroundwork.job_run as newer where newer.job = run.job and newer.id > run.id)`,
  );
}

/** Runs a job, unless another process runs it, or has run it in the meantime. */
async function runExclusively(client: Client, job: Job, request: RunRequest): Promise<JobResult> {
  const { name, schedule } = job;
  const { rows } = await client.query<{ locked: boolean }>(
    `select pg_catalog.pg_try_advisory_lock(${jobLockKey("$1::text")}) as locked`,
    [name],
  );
  if (rows[0]?.locked !== true) return { name, outcome: "busy" };
  try {
    const { now, last } = await readJobRuns(client);
    const run = last.get(name);
    if (!request.isForced && !isDue(job, run, now))
      return { name, outcome: "not due", next: run && nextRun(schedule, run.startedAt) };
    return await runRecorded(client, job, request);
  } finally {
    // On a lost connection there is nothing to unlock.
    await client.query(`select pg_catalog.pg_advisory_unlock(${jobLockKey("$1::text")})`, [name]).catch(() => {});
  }
}

async function runRecorded(client: Client, job: Job, request: RunRequest): Promise<JobResult> {
  const { signal, runId, onStart } = request;
  const { host, kitVersion } = provenance(runId);
  const { rows } = await client.query<{ id: string }>(
    `insert into pgroundwork.job_run (job, started_at, host, kit_version, run_id)
     values ($1, pg_catalog.clock_timestamp(), $2, $3, $4) returning id`,
    [job.name, host, kitVersion, runId],
  );
  onStart(job.name);
  const started = performance.now();
  const error = await runCommand(job, request);
  await client.query(
    "update pgroundwork.job_run set finished_at = pg_catalog.clock_timestamp(), error = $2 where id = $1",
    [rows[0]?.id, error ?? null],
  );
  signal.throwIfAborted();
  if (error !== undefined) return { name: job.name, outcome: "failed", error };
  return { name: job.name, outcome: "succeeded", seconds: (performance.now() - started) / 1_000 };
}

/**
 * Runs the command of a job in a session of its own, so that the lock and the record do not depend on what the command
 * does with its session. Several statements are one transaction, as in pg_cron.
 *
 * @returns the error; undefined if the job has succeeded
 */
async function runCommand({ name, command }: Job, request: RunRequest): Promise<string | undefined> {
  const { connection, signal, onMessage } = request;
  try {
    await withClient(
      connection,
      async (client) => {
        client.on("notice", ({ severity, message }) => onMessage(name, `${severity}: ${message}`));
        const stop = () => destroySocket(client);
        await detectLostClients(client);
        signal.addEventListener("abort", stop, { once: true });
        try {
          signal.throwIfAborted();
          await withFile(client, { file: `job ${name}`, settings: jobLimits }, () => client.query(command));
        } finally {
          signal.removeEventListener("abort", stop);
        }
      },
      `pgroundwork job ${name}`,
      { pipeline: true },
    );
    return undefined;
  } catch (error) {
    if (signal.aborted) return "interrupted";
    return isFromServer(error) ? `${error.message} (SQLSTATE ${error.code})` : (error as Error).message;
  }
}
