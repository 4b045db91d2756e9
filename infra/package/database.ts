import { basename, dirname, join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { RunError } from "@pulumi/pulumi/errors.js";
import { connectionUrl, type SslMode } from "../../scripts/connection/connection.ts";
import { projectFolder } from "../../scripts/core/kit-folder.ts";
import { OperationError } from "../../scripts/core/operation-error.ts";
import { type DatabaseFile, readDatabaseFile } from "../../scripts/databases/database-file.ts";
import { databaseNamePattern, databaseNameRule, reservedName } from "../../scripts/model/database-name.ts";
import { roleName } from "../../scripts/model/names.ts";
import { findExisting } from "../components/checks/existing-objects.ts";
import { databaseType } from "../components/database.ts";
import { DatabaseObjects } from "../components/database-objects.ts";
import type { Login } from "../components/server.ts";
import { narrowExtensions } from "../plan/extensions.ts";
import { separateProtect } from "./options.ts";
import { claim, cronOf, type ProgramServer, rolesOf } from "./server.ts";

/** Arguments of {@link Database}. */
export interface DatabaseArgs {
  server: ProgramServer;
  /**
   * Name of the database, and beginning of the names of its roles. Two servers can have databases of the same name.
   * Default: the component's name.
   */
  name?: string;
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
 * One database on a server, with its roles, extensions and privileges, and its applied migrations and seeds. Deleting
 * it keeps the database and its rows. With `protect`, pending migrations that are unsafe on a database in use are
 * refused.
 */
export class Database extends pulumi.ComponentResource {
  /** Logins by role. The passwords are secrets. */
  readonly logins: Readonly<Record<DatabaseLogin, Login>>;
  /** Names of the applied migrations, oldest first. */
  readonly migrations: pulumi.Output<string[]>;
  /** Name of the database on its server. */
  readonly databaseName: string;
  readonly server: ProgramServer;

  constructor(name: string, args: DatabaseArgs, options?: pulumi.ComponentResourceOptions) {
    const { protect, rest } = separateProtect(options);
    super(databaseType, name, {}, rest);
    const database = checkedName(name, args.name ?? name);
    claim(args.server, `the database ${database}`);
    this.databaseName = database;
    this.server = args.server;
    // What the server has decides options of resources. So the children are declared once it has answered.
    const objects = this.#declare(name, database, args, protect);
    const login = (role: DatabaseLogin): Login => ({
      user: roleName(database, role),
      password: pulumi.output(objects.then(({ logins }) => logins[role].password)),
    });
    this.logins = { migrator: login("migrator"), app: login("app"), readonly: login("readonly") };
    this.migrations = pulumi.output(objects.then(({ migrations }) => migrations));
    const seeds = pulumi.output(objects.then((declared) => declared.seeds));
    this.registerOutputs({ migrations: this.migrations, seeds });
  }

  /**
   * Returns the URL of a login, a secret. It is known once the migrations are applied.
   *
   * @param sslrootcert path of a file with the server's `caCertificate`, where the URL is used
   */
  url(role: DatabaseLogin = "app", sslrootcert?: string): pulumi.Output<string> {
    return urlAt(this.server, this, role, sslrootcert);
  }

  async #declare(name: string, database: string, args: DatabaseArgs, protect: boolean): Promise<DatabaseObjects> {
    const { server, folder = join("migrations", database), seeds = [], idleInTransactionTimeout = 60 } = args;
    const file = await fileOf(name, database, folder, server);
    const unknown = seeds.filter((set) => !file.seedSets.includes(set));
    if (unknown.length > 0)
      throw new RunError(`${name} has no seed set ${unknown.join(", ")}. It has: ${file.seedSets.join(", ")}.`);
    const { roles: serverRoles } = await rolesOf(server);
    const existing = await findExisting(server, [database]);
    const passwordVersion = server.passwordVersion;
    const cron = file.jobs !== undefined && file.jobs.length > 0 ? cronOf(server) : undefined;
    return new DatabaseObjects(this, name, {
      ...{ name: database, server, serverRoles, existing, file, folder, seeds, passwordVersion, protect, cron },
      idleInTransactionSeconds: idleInTransactionTimeout,
    });
  }
}

/** Address at which clients reach a database: its server, or a pooler. */
interface Address {
  host: pulumi.Output<string>;
  port: pulumi.Output<number>;
  sslmode: SslMode;
}

/** Returns the URL of a login at an address, a secret. It is known once the migrations of the database are applied. */
export function urlAt(
  { host, port, sslmode }: Address,
  { databaseName: database, logins, migrations }: Database,
  role: DatabaseLogin,
  sslrootcert: string | undefined,
): pulumi.Output<string> {
  const { user, password } = logins[role];
  return pulumi
    .all([host, port, password, migrations])
    .apply(([toHost, toPort, secret]) =>
      connectionUrl({ host: toHost, port: toPort, database, user, password: secret, sslmode, sslrootcert }),
    );
}

/** @throws RunError if a database cannot have this name */
function checkedName(component: string, name: string): string {
  const reserved = reservedName(name);
  if (databaseNamePattern.test(name) && reserved === undefined) return name;
  const reason = reserved === undefined ? `cannot be a database's name: ${databaseNameRule}` : reserved;
  throw new RunError(`Database ${component}: "${name}" ${reason}. Set its argument \`name\`.`);
}

/** Reads `database.json`, with the extensions and jobs narrowed to those that the server can have. */
async function fileOf(name: string, database: string, folder: string, server: ProgramServer): Promise<DatabaseFile> {
  const path = join(projectFolder(), folder);
  const file = await readDatabaseFile(dirname(path), basename(path)).catch((error: unknown) => {
    // Pulumi prints a RunError without a stack trace.
    throw error instanceof OperationError ? new RunError(error.text) : error;
  });
  const jobs = jobsOn(name, file, server);
  const available = await server.availableExtensions();
  if (available === undefined) return { ...file, jobs };
  const { extensions, missing, impossible } = narrowExtensions(file.extensions, available);
  if (impossible.length > 0) {
    throw new RunError(
      `The server ${server.resourceName} does not have these extensions, which ${name} needs: ${impossible.join(", ")}. ` +
        `${server.extensionHint} Or remove them from database.json, or mark them as optional there.`,
    );
  }
  const leftOut = (await server.requireRights?.({ name: database, extensions })) ?? new Set();
  const created = extensions.filter((each) => !leftOut.has(`${database} ${each.name}`));
  const absent = extensions.filter((each) => !created.includes(each)).map((each) => each.name);
  for (const extension of [...missing, ...absent])
    void pulumi.log.info(`${name}: the optional extension ${extension} cannot be created on this server`, server);
  return { ...file, extensions: created, jobs };
}

/** Returns the jobs that a server runs itself, and reports the others. */
function jobsOn(name: string, { jobs = [] }: DatabaseFile, server: ProgramServer) {
  if (server.runsJobs) return jobs;
  const required = jobs.filter((job) => !job.optional).map((job) => job.name);
  if (required.length > 0)
    void pulumi.log.info(
      `${name}: the server ${server.resourceName} has no pg_cron. Run these jobs with \`npx pgw jobs run --due\` ` +
        `and the migrator's URL in DATABASE_URL: ${required.join(", ")}. ` +
        'A DockerServer with `extensions: ["pg_cron"]` runs them itself.',
      server,
    );
  for (const job of jobs.filter(({ optional }) => optional))
    void pulumi.log.info(`${name}: the optional job ${job.name} does not run: this server has no pg_cron`, server);
  return [];
}
