import * as postgresql from "@pulumi/postgresql";
import type * as pulumi from "@pulumi/pulumi";
import type { Job } from "../../scripts/databases/jobs.ts";
import { cronExtension, jobsDatabase } from "../../scripts/model/cron.ts";
import { historyJob } from "../../scripts/model/job-history.ts";
import { roleName } from "../../scripts/model/names.ts";
import { Jobs } from "../provider/sdk/databases.ts";
import { adminConnection, type Server } from "./server.ts";

/**
 * Declares pg_cron in the database `postgres`, once for all databases with jobs, and the job that deletes old records
 * of runs.
 */
export function declareCron(name: string, server: Server, protect: boolean): pulumi.Resource {
  const extension = new postgresql.Extension(
    `${name}-extension-${cronExtension}`,
    { name: cronExtension, database: jobsDatabase },
    { parent: server, provider: server.provider, deletedWith: server.process, retainOnDelete: true, protect },
  );
  const target = { runIn: jobsDatabase, runAs: server.admin.user };
  return declare(`${name}-jobs`, server, target, [historyJob], { parent: server, dependsOn: extension });
}

/** Declares the jobs of a database. They run as its migrator, which acts as the owner: the owner cannot log in. */
export function declareJobs(
  name: string,
  database: string,
  server: Server,
  jobs: readonly Job[],
  options: pulumi.CustomResourceOptions,
): void {
  declare(name, server, { runIn: database, runAs: roleName(database, "migrator") }, jobs, options);
}

function declare(
  name: string,
  server: Server,
  target: { runIn: string; runAs: pulumi.Input<string> },
  jobs: readonly Job[],
  options: pulumi.CustomResourceOptions,
): pulumi.Resource {
  return new Jobs(
    name,
    {
      ...adminConnection(server, jobsDatabase),
      ...target,
      jobs: Object.fromEntries(
        jobs.map(({ name, schedule, command }) => [name, JSON.stringify({ schedule, command })]),
      ),
    },
    { ...options, deletedWith: server.process },
  );
}
