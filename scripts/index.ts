/**
 * The door for programs: `import { autoMigrate } from "pgroundwork"`. Nothing here prints or exits, and neither Pulumi nor its engine is loaded. What goes
 * wrong is an `OperationError`: its message says what happened, its `remedy` what to do.
 */
import { isAbsolute, join } from "node:path";
import { OperationError, exitCode as reason } from "./errors/operation-error.ts";
import { type ApplyOptions, type ApplyResult, applyMigrations } from "./migrate/apply.ts";
import { type UndoOptions, type UndoResult, undoMigrations } from "./migrate/down.ts";
import type { MigrationStatus } from "./migrate/status.ts";
import { readKnownStatus, verifyMigrations } from "./migrate/verify.ts";
import { type ApplySeedsOptions, type ApplySeedsResult, applySeeds } from "./seed/apply.ts";
import type { Connection } from "./target/connection.ts";
import { fromEnvironment, rootFromEnvironment } from "./target/environment.ts";
import { parseConnectionUrl, targetFaults } from "./target/url.ts";

export { OperationError } from "./errors/operation-error.ts";
export type { ApplyResult, MigrationEvent } from "./migrate/apply.ts";
export type { UndoEvent, UndoResult } from "./migrate/down.ts";
export type { MigrationProblem, MigrationStatus } from "./migrate/status.ts";
export type { ApplySeedsResult, SeedEvent } from "./seed/apply.ts";
export { SqlFileError } from "./sql/run-sql.ts";
export type { Connection } from "./target/connection.ts";
export { ConnectionError } from "./target/connection-error.ts";

/** Which database, and the folder that says what is to be in it. */
export interface DatabaseTarget {
  /** A folder of `migrations/` by its name, or any folder by its absolute path. */
  database: string;
  /** How to log in, as the role that migrates: a `postgresql://` URL, or its parts. Default: what `env` says. */
  connection?: string | Connection;
  /** Read for `DATABASE_URL`, `DB_*`, `PG*`, `ROOT_DATABASE_URL` and `AUTO_MIGRATE`. Default: the process's own. */
  env?: NodeJS.ProcessEnv;
}

export type MigrateOptions = DatabaseTarget & Omit<ApplyOptions, "connection" | "folder">;
export type RollbackOptions = DatabaseTarget & Omit<UndoOptions, "connection" | "folder">;
export type SeedOptions = DatabaseTarget & Omit<ApplySeedsOptions, "connection" | "folder">;

/**
 * Applies what is pending; see `applyMigrations`. Several processes may do so at once: one does the work, the others wait for it, and all succeed.
 *
 * @throws OperationError, SqlFileError or ConnectionError; what was applied before stays applied
 */
export async function migrate(options: MigrateOptions): Promise<ApplyResult> {
  const { connection, folder } = targetOf(options);
  const admin = options.admin ?? rootFromEnvironment(options.env ?? process.env);
  return applyMigrations({ ...options, connection, folder, admin });
}

/**
 * The same at the start of an application, where the environment says so: `AUTO_MIGRATE=true`. Unset, empty or `false`, nothing is done and no connection is made.
 *
 * @returns `ran` tells whether it was asked for; `applied` is empty too where nothing was pending
 * @throws OperationError (wrong usage) for another value of AUTO_MIGRATE, else as {@link migrate}
 */
export async function autoMigrate(options: MigrateOptions): Promise<ApplyResult & { ran: boolean }> {
  const value = (options.env ?? process.env).AUTO_MIGRATE || "false";
  if (value !== "true" && value !== "false") {
    throw new OperationError(`AUTO_MIGRATE is "${value}".`, {
      remedy: "Set it to true or false.",
      exitCode: reason.usage,
    });
  }
  return value === "true" ? { ran: true, ...(await migrate(options)) } : { ran: false, applied: [] };
}

/**
 * Undoes the newest applied migration, or as many as `steps` or `to` say; see `undoMigrations`. The rows in what it made are lost.
 *
 * @throws OperationError, SqlFileError or ConnectionError
 */
export async function rollback(options: RollbackOptions): Promise<UndoResult> {
  return undoMigrations({ ...options, ...targetOf(options) });
}

/**
 * What is applied, what is pending, and what does not fit. Changes nothing.
 *
 * @throws OperationError also where it could not be told; ConnectionError
 */
export async function migrationStatus(options: DatabaseTarget): Promise<MigrationStatus> {
  const { connection, folder } = targetOf(options);
  return readKnownStatus(connection, folder);
}

/**
 * The same, for a process that must not start on a database that does not fit its files.
 *
 * @throws OperationError (something is wrong) with all of it
 */
export async function verify(options: DatabaseTarget): Promise<MigrationStatus> {
  const { connection, folder } = targetOf(options);
  return verifyMigrations(connection, folder);
}

/**
 * Runs the seed files of the named sets that are new or changed; see `applySeeds`.
 *
 * @throws OperationError, SqlFileError or ConnectionError
 */
export async function seed(options: SeedOptions): Promise<ApplySeedsResult> {
  return applySeeds({ ...options, ...targetOf(options) });
}

function targetOf({ database, connection, env = process.env }: DatabaseTarget): {
  connection: Connection;
  folder: string;
} {
  const folder = isAbsolute(database) ? database : join(import.meta.dirname, "..", "migrations", database);
  return { connection: connectionOf(connection, env), folder };
}

function connectionOf(given: string | Connection | undefined, env: NodeJS.ProcessEnv): Connection {
  if (typeof given === "object") return given;
  if (given !== undefined) {
    const parsed = parseConnectionUrl(given, "connection");
    if (parsed.connection !== undefined) return parsed.connection;
    throw targetFaults("connection", parsed.faults, "Write it as postgresql://user:password@host:5432/database.");
  }
  const connection = fromEnvironment(env);
  if (connection !== undefined) return connection;
  throw new OperationError("No database is named.", {
    remedy: "Set DATABASE_URL, DB_* or PG*, or say it with `connection`.",
    exitCode: reason.usage,
  });
}
