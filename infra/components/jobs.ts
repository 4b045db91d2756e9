import * as postgresql from "@pulumi/postgresql";
import type * as pulumi from "@pulumi/pulumi";
import type { Job } from "../../scripts/databases/jobs.ts";
import { cronExtension, jobsDatabase } from "../../scripts/model/cron.ts";
import { roleName } from "../../scripts/model/names.ts";
import { Jobs } from "../provider/sdk.ts";
import type { Server } from "./server.ts";

/** Declares pg_cron in the database `postgres`, once for all databases with jobs. */
export function declareCron(name: string, server: Server, protect: boolean): pulumi.Resource {
  return new postgresql.Extension(
    `${name}-extension-${cronExtension}`,
    { name: cronExtension, database: jobsDatabase },
    { parent: server, provider: server.provider, deletedWith: server.process, retainOnDelete: true, protect },
  );
}

/** Declares the jobs of a database. They run as its migrator, which acts as the owner: the owner cannot log in. */
export function declareJobs(
  name: string,
  database: string,
  server: Server,
  jobs: readonly Job[],
  options: pulumi.CustomResourceOptions,
): void {
  const { host, port, sslmode, caCertificate, admin } = server;
  new Jobs(
    name,
    {
      ...{ host, port, sslmode, caCertificate, database: jobsDatabase, ...admin },
      ...{ runIn: database, runAs: roleName(database, "migrator") },
      jobs: Object.fromEntries(
        jobs.map(({ name, schedule, command }) => [name, JSON.stringify({ schedule, command })]),
      ),
    },
    { ...options, deletedWith: server.process },
  );
}
