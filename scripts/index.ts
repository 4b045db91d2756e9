/**
 * Entry point for programs: `import { autoMigrate } from "pgroundwork"`. Nothing here prints or exits, and neither
 * Pulumi nor its engine is loaded. Failures throw an `OperationError`: its message says what happened, its `hint`
 * says what to do.
 */
import { stat } from "node:fs/promises";
import { basename, resolve } from "node:path";
import type { Connection } from "./connection/connection.ts";
import { fromEnvironment, rootFromEnvironment } from "./connection/environment.ts";
import { parseConnectionUrl, targetFaults } from "./connection/url.ts";
import { unlessAbsent } from "./core/absent.ts";
import type { FileSource } from "./core/file-source.ts";
import { OperationError, exitCode as reason } from "./core/operation-error.ts";
import { type ImportMap, importMap } from "./import/map.ts";
import type { ImportRun } from "./import/run/ledger.ts";
import type { RollbackResult } from "./import/run/rollback.ts";
import type { ImportResult, RunImportOptions } from "./import/run/run-import.ts";
import type { VerifiedImport } from "./import/verify-import.ts";
import { type ApplyOptions, type ApplyResult, applyMigrations } from "./migrate/apply.ts";
import { type MigrationBundle, openBundle } from "./migrate/bundle.ts";
import { type RevertOptions, type RevertResult, revertMigrations } from "./migrate/down.ts";
import type { MigrationStatus } from "./migrate/status.ts";
import { readKnownStatus, verifyMigrations } from "./migrate/verify.ts";
import { type ApplySeedsOptions, type ApplySeedsResult, applySeeds } from "./seed/apply.ts";

export type { Connection } from "./connection/connection.ts";
export { ConnectionError } from "./connection/connection-error.ts";
export { OperationError } from "./core/operation-error.ts";
export type { ColumnMap, ImportMap, TableMap, Transform } from "./import/map.ts";
export type { ImportRun } from "./import/run/ledger.ts";
export type { ImportReport, TableReport, VerifyResult } from "./import/run/result.ts";
export type { RollbackResult } from "./import/run/rollback.ts";
export type { ImportEvent, ImportResult } from "./import/run/run-import.ts";
export type { VerifiedImport } from "./import/verify-import.ts";
export type { ApplyResult, MigrationEvent } from "./migrate/apply.ts";
export type { MigrationBundle } from "./migrate/bundle.ts";
export type { RevertEvent, RevertResult } from "./migrate/down.ts";
export type { MigrationProblem, MigrationStatus } from "./migrate/status.ts";
export type { ApplySeedsResult, SeedEvent } from "./seed/apply.ts";
export { SqlFileError } from "./sql/run-sql.ts";
export { importMap };

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

/** Options of {@link importSource}. */
export type ImportSourceOptions = DatabaseTarget &
  Omit<RunImportOptions, "connection" | "source" | "map" | "database"> & {
    /** Kind of the source. */
    kind: "sqlite" | "json";
    /** Path of a SQLite database, a JSON file, or a folder of JSON files. */
    path: string;
    /** The map, or the path of its file. Default: `import/<kind>.ts`, `.mjs` or `.json` in the database's folder. */
    map?: ImportMap | string;
  };

/**
 * Imports a SQLite database or JSON files: validates all rows, loads them, and compares the result with the source; see
 * `runImport`. Rejected rows and a comparison that fails are in the report, they are no errors.
 *
 * @throws OperationError if the source cannot be read, the map does not fit, or the target refuses a row;
 * ConnectionError
 */
export async function importSource(options: ImportSourceOptions): Promise<ImportResult> {
  const [{ runImport }, { openSource }, { readMap }, { parseMap }] = await Promise.all([
    import("./import/run/run-import.ts"),
    import("./import/source/open-source.ts"),
    import("./import/map-file.ts"),
    import("./import/parse-map.ts"),
  ]);
  const { kind, path, map: given, database, migrations: _, connection: __, env: ___, ...rest } = options;
  const map =
    typeof given === "object" ? parseMap(given, "map") : await readMap(given, resolve(await folderOf(options)), kind);
  const source = await openSource(kind, path);
  try {
    return await runImport({ ...rest, connection: connectionOf(options), database: basename(database), source, map });
  } finally {
    await source.close();
  }
}

/**
 * Compares the source of an import with the rows that it wrote, as they are now; see `verifyImport`. Changes nothing.
 *
 * @throws OperationError if the source is gone or another one; ConnectionError
 */
export async function verifyImport(
  options: ConnectionTarget & { database: string; run?: string; path?: string; signal?: AbortSignal },
): Promise<VerifiedImport> {
  const { verifyImport: verifyRun } = await import("./import/verify-import.ts");
  const { database, connection: _, env: __, ...rest } = options;
  return verifyRun({ ...rest, database: basename(database), connection: connectionOf(options) });
}

/**
 * Removes the rows that an import inserted and restores those that it updated; see `rollbackImport`. If the result has
 * obstacles, nothing was changed.
 *
 * @throws OperationError or ConnectionError
 */
export async function rollbackImport(
  options: ConnectionTarget & { run?: string; dryRun?: boolean; signal?: AbortSignal },
): Promise<RollbackResult> {
  const { rollbackImport: rollbackRun } = await import("./import/run/rollback.ts");
  const { connection: _, env: __, ...rest } = options;
  return rollbackRun({ ...rest, connection: connectionOf(options) });
}

/** Lists the imports of a database, newest first. Changes nothing. */
export async function listImports(options: ConnectionTarget): Promise<ImportRun[]> {
  const { listImports: list } = await import("./import/verify-import.ts");
  return list(connectionOf(options));
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
