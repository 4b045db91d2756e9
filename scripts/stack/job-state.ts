import { join } from "node:path";
import { withClient } from "../connection/client.ts";
import { OperationError } from "../core/operation-error.ts";
import { readDatabaseFile } from "../databases/database-file.ts";
import { type JobState, readJobState } from "../databases/job-state.ts";
import { type Job, jobChanges } from "../databases/jobs.ts";
import { jobsDatabase } from "../model/cron.ts";
import { historyJob } from "../model/job-history.ts";
import { roleName } from "../model/names.ts";
import type { StackOutputs } from "../model/stack-outputs.ts";
import { serverConnection } from "./outputs.ts";

/** State of a stack's jobs, or the reason why it is not known. */
export type StackJobs =
  | {
      known: true;
      jobs: JobState[];
      /** Differences between the declared jobs and those of the server: `add job tidy to shop`. */
      pending: string[];
    }
  | { known: false; reason: string };

/**
 * Reads the state of the jobs that a stack's databases declare, and of those that the kit has scheduled.
 *
 * @returns null if there are none, or if the server has no pg_cron
 */
export async function readStackJobs(outputs: StackOutputs, root: string): Promise<StackJobs | null> {
  const databases = Object.keys(outputs.databases);
  const connection = serverConnection(outputs);
  if (outputs.server.kind !== "docker") return null;
  try {
    const declared = new Map<string, readonly Job[]>();
    for (const name of databases)
      declared.set(name, (await readDatabaseFile(join(root, "migrations"), name)).jobs ?? []);
    const hasJobs = [...declared.values()].some((jobs) => jobs.length > 0);
    declared.set(jobsDatabase, hasJobs ? [historyJob] : []);
    return await withClient(connection, async (client): Promise<StackJobs | null> => {
      const pending: string[] = [];
      for (const [database, jobs] of declared) {
        const role = database === jobsDatabase ? connection.user : roleName(database, "migrator");
        const changes = await jobChanges(client, { database, role }, jobs);
        pending.push(...changes.map(({ kind, name }) => `${kind} job ${name} of ${database}`));
      }
      const jobs = await readJobState(client);
      return jobs.length + pending.length === 0 ? null : { known: true, jobs, pending };
    });
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return { known: false, reason: error.message };
  }
}
