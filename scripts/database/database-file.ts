import { access, readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { exitCode, OperationError } from "../errors/operation-error.ts";
import { leadsNowhere, unlessAbsent } from "../files/absent.ts";
import type { DatabaseFile } from "./database-schema.ts";

export type { DatabaseFile, DeclaredExtension, PartitionSpec } from "./database-schema.ts";

/** A database's folder below the migrations folder. */
export function databaseFolder(migrationsFolder: string, database: string): string {
  return path.join(migrationsFolder, database);
}

const fileName = "database.json";

/** Names of the databases there are: the folders with a `database.json`, sorted. */
export async function listDatabases(migrationsFolder: string): Promise<string[]> {
  const entries = (await unlessAbsent(readdir(migrationsFolder, { withFileTypes: true }), leadsNowhere)) ?? [];
  const names = await Promise.all(
    entries
      .filter((entry) => entry.isDirectory())
      .map(async ({ name }) => ((await readdir(path.join(migrationsFolder, name))).includes(fileName) ? [name] : [])),
  );
  return names.flat().sort();
}

/**
 * Makes sure that there is a database of this name, whatever its file says.
 * @throws OperationError (wrong usage) that says which there are
 */
export async function requireDatabase(migrationsFolder: string, database: string): Promise<void> {
  await access(path.join(databaseFolder(migrationsFolder, database), fileName)).catch(async (error: unknown) => {
    throw leadsNowhere(error) ? await unknownDatabase(migrationsFolder, database, error) : error;
  });
}

/**
 * Reads and validates a database's `database.json`.
 * @throws OperationError (wrong usage) with every fault and the file's path, or when there is no such database.
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
  const { nearest } = await import("./nearest.ts");
  const near = nearest(database, known);
  const suggestion = near === undefined ? "" : ` Did you mean "${near}"?`;
  const there = known.length === 0 ? "there is none yet" : `there are: ${known.join(", ")}`;
  return new OperationError(`There is no database "${database}" in ${migrationsFolder} (${there}).${suggestion}`, {
    remedy: `A database is a folder with a ${fileName}: name one that exists, or add ${path.join(migrationsFolder, database, fileName)}.`,
    exitCode: exitCode.usage,
    cause,
  });
}
