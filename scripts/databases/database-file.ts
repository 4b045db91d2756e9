import { access, readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { leadsNowhere, unlessAbsent } from "../core/absent.ts";
import { exitCode, OperationError } from "../core/operation-error.ts";
import type { DatabaseFile } from "./database-schema.ts";

export type { DatabaseFile, DeclaredExtension, JobSpec, PartitionSpec } from "./database-schema.ts";

/** Returns the path of a database's folder below the migrations folder. */
export function databaseFolder(migrationsFolder: string, database: string): string {
  return path.join(migrationsFolder, database);
}

const fileName = "database.json";

/** Returns the names of all databases: the folders with a `database.json`, sorted. */
export async function listDatabases(migrationsFolder: string): Promise<string[]> {
  const entries = (await unlessAbsent(readdir(migrationsFolder, { withFileTypes: true }), leadsNowhere)) ?? [];
  const names = await Promise.all(
    entries
      .filter((entry) => entry.isDirectory())
      .map(async ({ name }) => ((await readdir(path.join(migrationsFolder, name))).includes(fileName) ? [name] : [])),
  );
  return names.flat().sort();
}

/** Returns the paths of the folders of all databases, by name. */
export async function databaseFolders(migrationsFolder: string): Promise<ReadonlyMap<string, string>> {
  const names = await listDatabases(migrationsFolder);
  return new Map(names.map((name) => [name, databaseFolder(migrationsFolder, name)]));
}

/**
 * Checks that a database of this name exists, whatever its file says.
 *
 * @throws OperationError (exit code usage) that lists the existing ones
 */
export async function requireDatabase(migrationsFolder: string, database: string): Promise<void> {
  await access(path.join(databaseFolder(migrationsFolder, database), fileName)).catch(async (error: unknown) => {
    throw leadsNowhere(error) ? await unknownDatabase(migrationsFolder, database, error) : error;
  });
}

/**
 * Reads and validates a database's `database.json`.
 *
 * @throws OperationError (exit code usage) with all errors and the file's path, or if there is no such database
 */
export async function readDatabaseFile(migrationsFolder: string, database: string): Promise<DatabaseFile> {
  const file = path.join(databaseFolder(migrationsFolder, database), fileName);
  const text = await readFile(file, "utf8").catch(async (error: unknown) => {
    if (leadsNowhere(error)) throw await unknownDatabase(migrationsFolder, database, error);
    throw error;
  });
  const { parseDatabaseFile } = await import("./database-schema.ts");
  return parseDatabaseFile(text, file);
}

async function unknownDatabase(migrationsFolder: string, database: string, cause: unknown): Promise<OperationError> {
  const known = await listDatabases(migrationsFolder);
  const { nearest } = await import("../core/nearest.ts");
  const near = nearest(database, known);
  const suggestion = near === undefined ? "" : ` Did you mean "${near}"?`;
  const there = known.length === 0 ? "none exists yet" : `there are: ${known.join(", ")}`;
  return new OperationError(
    `The database "${database}" does not exist in ${migrationsFolder} (${there}).${suggestion}`,
    {
      hint: `A database is a folder with a ${fileName}. Name an existing one, or create ${path.join(migrationsFolder, database, fileName)}.`,
      exitCode: exitCode.usage,
      cause,
    },
  );
}
