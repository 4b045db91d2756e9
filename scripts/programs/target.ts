import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { Connection } from "../connection/connection.ts";
import { fromEnvironment } from "../connection/environment.ts";
import { parseConnectionUrl, targetFaults } from "../connection/url.ts";
import { unlessAbsent } from "../core/absent.ts";
import type { FileSource } from "../core/file-source.ts";
import { OperationError, exitCode as reason } from "../core/operation-error.ts";
import { type MigrationBundle, openBundle } from "../migrate/bundle.ts";

/** The login of a database. */
export interface ConnectionTarget {
  /** Login of the role that migrates: a `postgresql://` URL, or its parts. Default: read from `env`. */
  connection?: string | Connection;
  /**
   * Environment to read `DATABASE_URL`, `DB_*`, `PG*`, `ROOT_DATABASE_URL` and `AUTO_MIGRATE` from. Default:
   * `process.env`.
   */
  env?: Readonly<Record<string, string | undefined>>;
}

/** A database, and the folder that holds its migrations and seeds. */
export interface DatabaseTarget extends ConnectionTarget {
  /** Name of a folder in `migrations`, or the absolute path of any folder. */
  database: string;
  /** Folder that contains the databases' folders. Default: `migrations` in the working directory. */
  migrations?: string;
}

/** A database, and a bundle of its migrations instead of a folder. */
export interface BundleTarget extends ConnectionTarget {
  /** The default export of a module that `pgw migrate bundle` wrote. */
  from: MigrationBundle;
}

/** A database, and its migrations. */
export type MigrationTarget = DatabaseTarget | BundleTarget;

/** Returns the connection and the files of a target. */
export async function targetOf(options: MigrationTarget): Promise<{ connection: Connection; folder: FileSource }> {
  const folder = "from" in options ? openBundle(options.from) : await folderOf(options);
  return { connection: connectionOf(options), folder };
}

/**
 * Returns the path of a database's folder.
 *
 * @throws OperationError if it does not exist
 */
export async function folderOf({ database, migrations = "migrations" }: DatabaseTarget): Promise<string> {
  const folder = resolve(migrations, database);
  // A folder that is not in the application's image would look like one without pending migrations.
  if (await unlessAbsent(stat(folder))) return folder;
  throw new OperationError(`The folder of the database "${database}" does not exist: ${folder}`, {
    hint: "Correct `database`, or set `migrations` to the folder that contains it. Without a folder, pass a bundle as `from`.",
    exitCode: reason.usage,
  });
}

/**
 * Returns the connection of a target.
 *
 * @throws OperationError if there is none, or if it is not valid
 */
export function connectionOf({ connection: given, env = process.env }: ConnectionTarget): Connection {
  if (typeof given === "object") return given;
  if (given !== undefined) {
    const parsed = parseConnectionUrl(given, "connection");
    if (parsed.connection !== undefined) return parsed.connection;
    throw targetFaults("connection", parsed.faults, "Write it as postgresql://user@host:5432/database.");
  }
  const connection = fromEnvironment(env);
  if (connection !== undefined) return connection;
  throw new OperationError("No database is given.", {
    hint: "Set DATABASE_URL, DB_* or PG*, or say it with `connection`.",
    exitCode: reason.usage,
  });
}
