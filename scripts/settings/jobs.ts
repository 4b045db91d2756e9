import { cronFault, isInSeconds, scheduledInterval } from "../model/cron.ts";
import { scheduleFault } from "../model/schedule.ts";
import type { Fault } from "./fault.ts";

/** The parts of `database.json` that concern jobs. */
export interface DeclaresJobs {
  extensions?: readonly { name: string }[];
  jobs?: readonly { name: string; schedule: string }[];
}

/**
 * Finds jobs that no server can run, and databases that cannot share its pg_cron. On an external
 * server, its owner chooses the database that has pg_cron.
 */
export function jobFaults(
  server: unknown,
  databases: readonly string[],
  declared: Readonly<Record<string, DeclaresJobs>>,
): Fault[] {
  const known = databases.flatMap((name) => {
    const { extensions = [], jobs = [] } = declared[name] ?? {};
    return { name, extensions: extensions.map((each) => each.name), jobs };
  });
  const faults = known.flatMap(({ name, jobs }) =>
    jobs.flatMap((job) => {
      const reason = jobFault(job);
      return reason === undefined ? [] : [`job '${job.name}' of '${name}': ${reason}`];
    }),
  );
  const shared =
    server === "docker"
      ? cronFault(known.map(({ jobs, ...each }) => ({ ...each, jobs: jobs.map((job) => job.name) })))
      : undefined;
  return [...faults, ...(shared === undefined ? [] : [shared])].map((reason) => ({ setting: "databases", reason }));
}

function jobFault({ schedule }: { schedule: string }): string | undefined {
  const fault = isInSeconds(schedule) ? undefined : scheduleFault(schedule);
  if (fault !== undefined) return `${fault}; '10 seconds' is possible, too`;
  return scheduledInterval(schedule) === undefined ? `'${schedule}' never occurs` : undefined;
}
