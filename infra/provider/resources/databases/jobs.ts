import { withClient } from "../../../../scripts/connection/client.ts";
import { ConnectionError } from "../../../../scripts/connection/connection-error.ts";
import { type Job, type JobChange, jobChanges, reconcileJobs } from "../../../../scripts/databases/jobs.ts";
import type { ResourceType } from "../../../provider-protocol/resource-type.ts";
import type { Properties } from "../../../provider-protocol/values.ts";
import { connectionOf } from "../../inputs/connection-inputs.ts";
import { pendingWorkType } from "./pending-work.ts";

const verbs = { add: "added", change: "changed", remove: "removed" } as const;

const work = pendingWorkType({
  id: (inputs) => `${inputs.runIn}/jobs`,
  identity: ["runIn", "runAs"],
  previewOutputs: {},
  announcement: (name) => `to ${name}`,

  async ask(connection, inputs) {
    const jobs = jobsOf(inputs);
    if (connection === undefined)
      return { known: true, names: namesOf(jobs.map(({ name }) => ({ kind: "add", name }))) };
    const changes = await withClient(connection, (client) => jobChanges(client, targetOf(inputs), jobs));
    return { known: true, names: namesOf(changes) };
  },

  async run(context, connection, inputs) {
    const changes = await withClient(connection, (client) => reconcileJobs(client, targetOf(inputs), jobsOf(inputs)));
    for (const { kind, name } of changes) await context.log("info", `${verbs[kind]} job ${name}`);
    return {};
  },
});

/**
 * Jobs of a database that pg_cron runs. Jobs of others are not touched. If the declaration is removed, so are the jobs.
 */
export const jobs: ResourceType = {
  ...work,

  async delete(_context, old) {
    const connection = connectionOf(old.inputs);
    if (connection === undefined) return;
    try {
      await withClient(connection, (client) => reconcileJobs(client, targetOf(old.inputs), []));
    } catch (error) {
      // A server that is down runs no jobs, and its next `up` with jobs compares all of them.
      if (!(error instanceof ConnectionError)) throw error;
    }
  },
};

function namesOf(changes: readonly JobChange[]): string[] {
  return changes.map(({ kind, name }) => `${kind} job ${name}`);
}

function targetOf({ runIn, runAs }: Properties) {
  return { database: String(runIn), role: String(runAs) };
}

function jobsOf({ jobs: declared }: Properties): Job[] {
  return Object.entries((declared ?? {}) as Record<string, string>).map(([name, text]) => {
    const { schedule, command } = JSON.parse(text) as Omit<Job, "name">;
    return { name, schedule, command };
  });
}
