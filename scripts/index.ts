/**
 * Entry point for programs: `import { autoMigrate } from "pgroundwork"`. Nothing here prints or exits, and neither
 * Pulumi nor its engine is loaded. Failures throw an `OperationError`: its message says what happened, its `hint`
 * says what to do.
 */
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { Connection } from "./connection/connection.ts";
import { fromEnvironment, rootFromEnvironment } from "./connection/environment.ts";
import { parseConnectionUrl, targetFaults } from "./connection/url.ts";
import { unlessAbsent } from "./core/absent.ts";
import type { FileSource } from "./core/file-source.ts";
import { OperationError, exitCode as reason } from "./core/operation-error.ts";
import { type ApplyOptions, type ApplyResult, applyMigrations } from "./migrate/apply.ts";
import { type MigrationBundle, openBundle } from "./migrate/bundle.ts";
import { type RevertOptions, type RevertResult, revertMigrations } from "./migrate/down.ts";
import type { MigrationStatus } from "./migrate/status.ts";
import { readKnownStatus, verifyMigrations } from "./migrate/verify.ts";
import { type ApplySeedsOptions, type ApplySeedsResult, applySeeds } from "./seed/apply.ts";

export type { CheckoutKind, HeldClient } from "./client/checkouts.ts";
export { type RequestContext, requestContext, withRequestContext } from "./client/context.ts";
export { createPool } from "./client/create-pool.ts";
export {
  AlreadyExistsError,
  actingUser,
  DomainError,
  domainError,
  found,
  foundVersion,
  InvalidValueError,
  NoActorError,
  NotAllowedError,
  NotFoundError,
  OverlapError,
  RelatedRowError,
  RuleViolationError,
  read,
  VersionConflictError,
  write,
} from "./client/domain-errors.ts";
export {
  AbortedCommitError,
  OutcomeUnknownError,
  PoolClosedError,
  PoolStarvationError,
  PoolTimeoutError,
  RolledBackError,
  UnfinishedWorkError,
} from "./client/errors.ts";
export type { CheckHealth } from "./client/health.ts";
export { registerPoolMetrics } from "./client/metrics.ts";
export type { Pool, PooledClient } from "./client/pool.ts";
export type { PoolEvents, PoolStats } from "./client/pool-core.ts";
export type { PoolOptions } from "./client/settings.ts";
export type { Statement, StatementResult } from "./client/statements.ts";
export type { Transaction, TransactionOptions } from "./client/transaction.ts";
export type { Connection } from "./connection/connection.ts";
export { ConnectionError } from "./connection/connection-error.ts";
export { OperationError } from "./core/operation-error.ts";
export type { ApplyResult, MigrationEvent } from "./migrate/apply.ts";
export type { MigrationBundle } from "./migrate/bundle.ts";
export type { RevertEvent, RevertResult } from "./migrate/down.ts";
export type { MigrationProblem, MigrationStatus } from "./migrate/status.ts";
export type { ApplySeedsResult, SeedEvent } from "./seed/apply.ts";
export { SqlFileError } from "./sql/run-sql.ts";

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

/** Options of {@link migrate} and {@link autoMigrate}. */
export type MigrateOptions = MigrationTarget & Omit<ApplyOptions, "connection" | "folder">;
/** Options of {@link rollback}. */
export type RollbackOptions = MigrationTarget & Omit<RevertOptions, "connection" | "folder">;
/** Options of {@link seed}. */
export type SeedOptions = DatabaseTarget & Omit<ApplySeedsOptions, "connection" | "folder">;

/**
 * Applies the pending migrations; see `applyMigrations`. Several processes can call this at the same time: one applies
 * the migrations, the others wait for it, and all succeed.
 *
 * @throws OperationError, SqlFileError or ConnectionError; migrations that were applied before the failure stay applied
 */
export async function migrate(options: MigrateOptions): Promise<ApplyResult> {
  const { connection, folder } = await targetOf(options);
  const admin = options.admin ?? rootFromEnvironment(options.env ?? process.env);
  return applyMigrations({ ...options, connection, folder, admin });
}

/**
 * Applies the pending migrations at the start of an application if the environment has `AUTO_MIGRATE=true`. If the
 * variable is unset, empty or `false`, this does nothing and opens no connection.
 *
 * @returns `ran` is true if the environment requested it; `applied` is also empty if nothing was pending
 * @throws OperationError (exit code usage) for another value of AUTO_MIGRATE, else as {@link migrate}
 */
export async function autoMigrate(options: MigrateOptions): Promise<ApplyResult & { ran: boolean }> {
  const value = (options.env ?? process.env).AUTO_MIGRATE || "false";
  if (value !== "true" && value !== "false") {
    throw new OperationError(`AUTO_MIGRATE is "${value}".`, {
      hint: "Set it to true or false.",
      exitCode: reason.usage,
    });
  }
  return value === "true" ? { ran: true, ...(await migrate(options)) } : { ran: false, applied: [] };
}

/**
 * Reverts the newest applied migration, or as many as `steps` or `to` select; see `revertMigrations`. The rows in the
 * objects that these migrations created are lost.
 *
 * @throws OperationError, SqlFileError or ConnectionError
 */
export async function rollback(options: RollbackOptions): Promise<RevertResult> {
  return revertMigrations({ ...options, ...(await targetOf(options)) });
}

/**
 * Returns the applied and pending migrations, and every mismatch between files and database. Changes nothing.
 *
 * @throws OperationError also if the status cannot be read; ConnectionError
 */
export async function migrationStatus(options: MigrationTarget): Promise<MigrationStatus> {
  const { connection, folder } = await targetOf(options);
  return readKnownStatus(connection, folder);
}

/**
 * Returns the status as {@link migrationStatus} does, for a process that must not start on a database that does not
 * match its files.
 *
 * @throws OperationError (exit code wrong) that lists every mismatch
 */
export async function verify(options: MigrationTarget): Promise<MigrationStatus> {
  const { connection, folder } = await targetOf(options);
  return verifyMigrations(connection, folder);
}

/**
 * Runs the new and changed seed files of the named sets; see `applySeeds`.
 *
 * @throws OperationError, SqlFileError or ConnectionError
 */
export async function seed(options: SeedOptions): Promise<ApplySeedsResult> {
  const connection = connectionOf(options);
  return applySeeds({ ...options, connection, folder: await folderOf(options) });
}

async function targetOf(options: MigrationTarget): Promise<{ connection: Connection; folder: FileSource }> {
  const folder = "from" in options ? openBundle(options.from) : await folderOf(options);
  return { connection: connectionOf(options), folder };
}

async function folderOf({ database, migrations = "migrations" }: DatabaseTarget): Promise<string> {
  const folder = resolve(migrations, database);
  // A folder that is not in the application's image would look like one without pending migrations.
  if (await unlessAbsent(stat(folder))) return folder;
  throw new OperationError(`The folder of the database "${database}" does not exist: ${folder}`, {
    hint: "Correct `database`, or set `migrations` to the folder that contains it. Without a folder, pass a bundle as `from`.",
    exitCode: reason.usage,
  });
}

function connectionOf({ connection: given, env = process.env }: ConnectionTarget): Connection {
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
