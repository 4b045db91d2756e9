import { basename, dirname, join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { RunError } from "@pulumi/pulumi/errors.js";
import { connectionUrl } from "../../scripts/connection/connection.ts";
import { projectFolder } from "../../scripts/core/kit-folder.ts";
import { OperationError } from "../../scripts/core/operation-error.ts";
import { type DatabaseFile, readDatabaseFile } from "../../scripts/databases/database-file.ts";
import { roleName } from "../../scripts/model/names.ts";
import { databaseType } from "../components/database.ts";
import { DatabaseObjects } from "../components/database-objects.ts";
import { findExisting } from "../components/existing.ts";
import type { Login } from "../components/server.ts";
import { narrowExtensions } from "../plan/extensions.ts";
import { type ProgramServer, rolesOf } from "./server.ts";

/** Arguments of {@link Database}. */
export interface DatabaseArgs {
  server: ProgramServer;
  /** Folder with `database.json` and `committed/`, relative to the project directory. Default: `migrations/<name>`. */
  folder?: string;
  /** Seed sets to apply, in order. Default: none. */
  seeds?: readonly string[];
  /**
   * Time in seconds after which the server ends a session of `<db>_app` or `<db>_readonly` that is idle in a
   * transaction. 0 sets no limit. Default: 60.
   */
  idleInTransactionTimeout?: number;
}

/** A role that an application logs in with. */
export type DatabaseLogin = keyof DatabaseObjects["logins"];

/**
 * One database on a server, with its roles, extensions and privileges, and its applied migrations and seeds. The name
 * of the component is the database's name. Deleting it keeps the database and its rows. With `protect`, pending
 * migrations that are unsafe on a database in use are refused.
 */
export class Database extends pulumi.ComponentResource {
  /** Logins by role. The passwords are secrets. */
  readonly logins: Readonly<Record<DatabaseLogin, Login>>;
  /** Names of the applied migrations, oldest first. */
  readonly migrations: pulumi.Output<string[]>;
  readonly #name: string;
  readonly #server: ProgramServer;

  constructor(name: string, args: DatabaseArgs, options?: pulumi.ComponentResourceOptions) {
    super(databaseType, name, {}, options);
    this.#name = name;
    this.#server = args.server;
    // What the server has decides options of resources. So the children are declared once it has answered.
    const objects = this.#declare(name, args, options?.protect === true);
    const login = (role: DatabaseLogin): Login => ({
      user: roleName(name, role),
      password: pulumi.output(objects.then(({ logins }) => logins[role].password)),
    });
    this.logins = { migrator: login("migrator"), app: login("app"), readonly: login("readonly") };
    this.migrations = pulumi.output(objects.then(({ migrations }) => migrations));
    const seeds = pulumi.output(objects.then((declared) => declared.seeds));
    this.registerOutputs({ migrations: this.migrations, seeds });
  }

  /** Returns the URL of a login, a secret. It is known once the migrations are applied. */
  url(role: DatabaseLogin = "app"): pulumi.Output<string> {
    const { host, port, sslmode } = this.#server;
    const { user, password } = this.logins[role];
    return pulumi.all([host, port, password, this.migrations]).apply(([toHost, toPort, secret]) =>
      connectionUrl({
        ...{ host: toHost, port: toPort, database: this.#name, user, password: secret, sslmode },
      }),
    );
  }

  async #declare(name: string, args: DatabaseArgs, protect: boolean): Promise<DatabaseObjects> {
    const { server, folder = join("migrations", name), seeds = [], idleInTransactionTimeout = 60 } = args;
    const file = await fileOf(name, folder, server);
    const unknown = seeds.filter((set) => !file.seedSets.includes(set));
    if (unknown.length > 0)
      throw new RunError(`${name} has no seed set ${unknown.join(", ")}. It has: ${file.seedSets.join(", ")}.`);
    const serverRoles = await rolesOf(server);
    const existing = await findExisting(server, [name]);
    const passwordVersion = server.passwordVersion;
    return new DatabaseObjects(this, name, {
      ...{ server, serverRoles, existing, file, folder, seeds, passwordVersion, protect },
      idleInTransactionSeconds: idleInTransactionTimeout,
    });
  }
}

/** Reads `database.json`, with the extensions narrowed to those that the server can create. */
async function fileOf(name: string, folder: string, server: ProgramServer): Promise<DatabaseFile> {
  const path = join(projectFolder(), folder);
  const file = await readDatabaseFile(dirname(path), basename(path)).catch((error: unknown) => {
    // Pulumi prints a RunError without a stack trace.
    throw error instanceof OperationError ? new RunError(error.text) : error;
  });
  reportJobs(name, file, server);
  const available = await server.availableExtensions();
  if (available === undefined) return file;
  const { extensions, missing, impossible } = narrowExtensions(file.extensions, available);
  if (impossible.length > 0) {
    throw new RunError(
      `The server ${server.resourceName} does not have these extensions, which ${name} needs: ${impossible.join(", ")}. ` +
        "Remove them from database.json, or mark them as optional there.",
    );
  }
  for (const absent of missing)
    void pulumi.log.info(`${name}: the optional extension ${absent} cannot be created on this server`, server);
  return { ...file, extensions };
}

/** @throws RunError if the database has jobs that are not optional: no server of a program has pg_cron */
function reportJobs(name: string, { jobs = [] }: DatabaseFile, server: ProgramServer): void {
  const required = jobs.filter((job) => !job.optional).map((job) => job.name);
  if (required.length > 0) {
    throw new RunError(
      `The server ${server.resourceName} has no pg_cron, which these jobs of ${name} need: ${required.join(", ")}. ` +
        "Remove them from database.json, or mark them as optional there.",
    );
  }
  for (const job of jobs)
    void pulumi.log.info(`${name}: the optional job ${job.name} does not run: this server has no pg_cron`, server);
}
