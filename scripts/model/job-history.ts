/** Days for which pg_cron's records of runs are kept. The newest record of each job is kept for as long as the job. */
export const historyDays = 7;

/** Deletes old records of runs, of all jobs of the server. pg_cron itself never deletes any. */
export const historyJob = {
  name: "delete old runs",
  schedule: "17 * * * *",
  command: `DELETE FROM cron.job_run_details AS run
 WHERE coalesce(end_time, start_time, '-infinity') < now() - interval '${historyDays} days'
   AND (EXISTS (SELECT FROM cron.job_run_details AS newer WHERE newer.jobid = run.jobid AND newer.runid > run.runid)
        OR NOT EXISTS (SELECT FROM cron.job WHERE job.jobid = run.jobid))`,
};
