import { rootFromEnvironment } from "../connection/environment.ts";
import { OperationError, exitCode as reason } from "../core/operation-error.ts";
import { type ApplyOptions, type ApplyResult, applyMigrations } from "../migrate/apply.ts";
import { type RevertOptions, type RevertResult, revertMigrations } from "../migrate/down.ts";
import type { MigrationStatus } from "../migrate/status.ts";
import { readKnownStatus, verifyMigrations } from "../migrate/verify.ts";
import { type DatabaseTarget, folderOf, type MigrationTarget, targetOf } from "./target.ts";

/** Options of {@link migrate} and {@link autoMigrate}. */
export type MigrateOptions = MigrationTarget & Omit<ApplyOptions, "connection" | "folder">;
/** Options of {@link rollback}. */
export type RollbackOptions = MigrationTarget & Omit<RevertOptions, "connection" | "folder">;
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
 * Creates the tables that record migrations, and nothing else. `migrate` does so itself.
 *
 * @returns true if they were created, false if they existed
 * @throws OperationError or ConnectionError
 */
export async function initializeMigrations(options: MigrationTarget): Promise<boolean> {
  const { initialiseTracking } = await import("../migrate/apply.ts");
  return initialiseTracking(await targetOf(options));
}

/**
 * Begins a migration: `current.sql` with its message, and `current.down.sql` for its down migration. `pgw migrate
 * commit` tests and commits it.
 *
 * @returns path of the file to write
 * @throws OperationError if a migration is being written already, or if the message is not valid
 */
export async function createMigration(
  options: Pick<DatabaseTarget, "database" | "migrations"> & { message: string },
): Promise<string> {
  const { newMigration } = await import("../migrate/authoring/new.ts");
  return newMigration(await folderOf(options), options.message);
}
