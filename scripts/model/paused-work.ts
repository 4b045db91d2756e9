/** Name of the file in a cluster's data directory that lists what a restore in place paused there. */
export const pausedFile = "pgroundwork-paused";

/** A job of pg_cron that a restore in place paused. */
export interface PausedJob {
  id: string;
  name: string | null;
  /** Database in which it runs. */
  database: string;
  schedule: string;
}

/** A subscription that a restore in place paused. */
export interface PausedSubscription {
  name: string;
  database: string;
}

/** Jobs and subscriptions of a restored cluster that do nothing until someone confirms them. */
export interface PausedWork {
  /** Database that has pg_cron. null if there is none. */
  jobsDatabase: string | null;
  jobs: PausedJob[];
  subscriptions: PausedSubscription[];
}

/** Parses the file. Returns undefined for a damaged one. */
export function parsePaused(text: string): PausedWork | undefined {
  try {
    const found = JSON.parse(text) as Partial<PausedWork>;
    return {
      jobsDatabase: found.jobsDatabase ?? null,
      jobs: found.jobs ?? [],
      subscriptions: found.subscriptions ?? [],
    };
  } catch {
    return undefined;
  }
}

/** Returns true if nothing is paused. */
export function isNothing({ jobs, subscriptions }: PausedWork): boolean {
  return jobs.length + subscriptions.length === 0;
}
