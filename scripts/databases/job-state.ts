import type { Client } from "pg";
import { pausedFile } from "../model/paused-work.ts";

/** Prefix of the names of the kit's jobs. Other jobs are not touched. */
export const jobPrefix = "pgroundwork: ";

/** SQL that is true if a restore in place paused the job of `jobid`. Superusers can read the file. */
export const pausedByRestore = `coalesce(pg_catalog.pg_read_file('${pausedFile}', true)::jsonb -> 'jobs'
  @> pg_catalog.jsonb_build_array(pg_catalog.jsonb_build_object('id', jobid::text)), false)`;

/**
 * Creates what shows the state of the kit's jobs. The view belongs to a superuser: pg_cron shows others only their own
 * jobs. `monitor` can read it, but not the messages, which can contain data.
 *
 * A job is overdue if its next run did not begin in time: a tenth of the interval and 5 minutes after it was due. An
 * hour of summer time is within a tenth of a day.
 */
export async function createJobState(client: Client): Promise<void> {
  await client.query(`
    CREATE SCHEMA IF NOT EXISTS pgroundwork;
    CREATE TABLE IF NOT EXISTS pgroundwork.job (
      id bigint PRIMARY KEY,
      interval_seconds bigint NOT NULL,
      changed_at timestamptz NOT NULL DEFAULT now()
    );
    COMMENT ON TABLE pgroundwork.job IS 'Longest time between two runs of a job of pg_cron, by its schedule.';
    CREATE INDEX IF NOT EXISTS pgroundwork_job_run ON cron.job_run_details (jobid, runid);
    CREATE OR REPLACE VIEW pgroundwork.job_state AS
      SELECT job.jobid AS id, job.database, pg_catalog.substr(job.jobname, ${jobPrefix.length + 1}) AS name,
             job.schedule, job.active, record.is_on AS recorded, planned.interval_seconds, begun.start_time AS started_at,
             CASE WHEN record.is_on THEN coalesce(ended.status = 'failed', false) END AS failed,
             CASE WHEN record.is_on THEN
               greatest(0, extract(epoch FROM clock_timestamp() - greatest(begun.start_time, planned.changed_at))
                           - planned.interval_seconds * 1.1 - 300)::float8
             END AS overdue_seconds,
             coalesce(ended.end_time, ended.start_time) AS ended_at, ended.return_message AS message
        FROM cron.job
        JOIN pgroundwork.job AS planned ON planned.id = job.jobid
       CROSS JOIN LATERAL (SELECT pg_catalog.current_setting('cron.log_run')::boolean AS is_on) AS record
        LEFT JOIN LATERAL (
          SELECT status, start_time, end_time, return_message FROM cron.job_run_details AS run
           WHERE run.jobid = job.jobid AND status IN ('succeeded', 'failed') ORDER BY runid DESC LIMIT 1) AS ended ON true
        LEFT JOIN LATERAL (
          SELECT start_time FROM cron.job_run_details AS run
           WHERE run.jobid = job.jobid AND start_time IS NOT NULL ORDER BY runid DESC LIMIT 1) AS begun ON true
       WHERE pg_catalog.starts_with(job.jobname, '${jobPrefix}');
    COMMENT ON VIEW pgroundwork.job_state IS 'Jobs of pg_cron that pgroundwork has scheduled, with their last runs.';
    GRANT USAGE ON SCHEMA pgroundwork TO pg_monitor;
    GRANT SELECT (id, database, name, schedule, active, recorded, interval_seconds, started_at, failed, overdue_seconds)
       ON pgroundwork.job_state TO pg_monitor;`);
}

/** State of a job that the kit has scheduled. Times are in ISO 8601. */
export interface JobState {
  database: string;
  name: string;
  schedule: string;
  /** False if someone has stopped the job. */
  active: boolean;
  /** True if a restore in place paused the job, until someone confirms it. */
  paused: boolean;
  /** True if the last run that ended has failed. Null if runs are not recorded (`cron.log_run`). */
  failed: boolean | null;
  /** Seconds by which its next run is late, beyond the tolerance. Null if runs are not recorded. */
  overdueSeconds: number | null;
  /** Begin of the last run. */
  startedAt: string | null;
  /** End of the last run that ended. */
  endedAt: string | null;
  /** Result of this run, or its error. */
  message: string | null;
}

/** Returns why a job is not fine, or undefined if it is: its last run succeeded, and the next one is not overdue. */
export function jobFault({
  active,
  paused,
  failed,
  overdueSeconds,
}: JobState): "paused" | "stopped" | "unknown" | "failed" | "overdue" | undefined {
  if (!active) return paused ? "paused" : "stopped";
  if (failed === null || overdueSeconds === null) return "unknown";
  if (failed) return "failed";
  return overdueSeconds > 0 ? "overdue" : undefined;
}

/** Reads the state of all jobs that the kit has scheduled. Must run as a superuser in the database of pg_cron. */
export async function readJobState(client: Client): Promise<JobState[]> {
  const { rows: found } = await client.query<{ has: boolean }>(
    "SELECT pg_catalog.to_regclass('pgroundwork.job_state') IS NOT NULL AS has",
  );
  // `up` creates the view with the first job.
  if (found[0]?.has !== true) return [];
  const { rows } = await client.query<
    Omit<JobState, "startedAt" | "endedAt"> & { startedAt: Date | null; endedAt: Date | null }
  >(
    `SELECT database, name, schedule, active, NOT active AND ${pausedByRestore.replace("jobid", "id")} AS paused, failed,
            overdue_seconds AS "overdueSeconds", started_at AS "startedAt", ended_at AS "endedAt", message
       FROM pgroundwork.job_state ORDER BY database, name`,
  );
  return rows.map((row) => ({
    ...row,
    startedAt: row.startedAt?.toISOString() ?? null,
    endedAt: row.endedAt?.toISOString() ?? null,
  }));
}
