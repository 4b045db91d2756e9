import { basename, resolve } from "node:path";
import type { ExportedImport } from "../import/export/export-import.ts";
import type { Proposal } from "../import/infer/proposal.ts";
import type { ImportMap } from "../import/map.ts";
import type { RollbackResult } from "../import/run/rollback.ts";
import type { ImportResult, RunImportOptions } from "../import/run/run-import.ts";
import type { ComparedImport, ListedImport, VerifiedImport } from "../import/verify-import.ts";
import { type ConnectionTarget, connectionOf, type DatabaseTarget, folderOf } from "./target.ts";

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
    import("../import/run/run-import.ts"),
    import("../import/source/open-source.ts"),
    import("../import/map-file.ts"),
    import("../import/parse-map.ts"),
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
 * Proposes a map from a source to the tables that the target has; see `inferMap`. Changes nothing. The result lists
 * what is not certain.
 *
 * @throws OperationError if the source cannot be read, or no table has the name of a collection; ConnectionError
 */
export async function inferImportMap(
  options: ConnectionTarget & { database: string; kind: "sqlite" | "json"; path: string; signal?: AbortSignal },
): Promise<Pick<Proposal, "map" | "unsure" | "leftOut">> {
  const [{ inferMap }, { openSource }] = await Promise.all([
    import("../import/infer/infer-map.ts"),
    import("../import/source/open-source.ts"),
  ]);
  const { kind, path, database, signal } = options;
  const source = await openSource(kind, path);
  try {
    const connection = connectionOf(options);
    const { map, unsure, leftOut } = await inferMap({ connection, database: basename(database), source, signal });
    return { map, unsure, leftOut };
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
  const { verifyImport: verifyRun } = await import("../import/verify-import.ts");
  return verifyRun(runOptions(options));
}

/**
 * Compares the source of an import as it is now with the database as it is now, and tells on which side rows changed;
 * see `compareImport`. Changes nothing.
 *
 * @throws OperationError if the source is gone, or the map no longer fits; ConnectionError
 */
export async function compareImport(
  options: ConnectionTarget & { database: string; run?: string; path?: string; signal?: AbortSignal },
): Promise<ComparedImport> {
  const { compareImport: compareRun } = await import("../import/verify-import.ts");
  return compareRun(runOptions(options));
}

/**
 * Writes the JSON files of an import again, as the database is now; see `exportImport`. The database stays as it is.
 *
 * @throws OperationError if the import was not made of JSON, or the folder has files; ConnectionError
 */
export async function exportImport(
  options: ConnectionTarget & { database: string; to: string; run?: string; path?: string; signal?: AbortSignal },
): Promise<ExportedImport> {
  const { exportImport: exportRun } = await import("../import/export/export-import.ts");
  return exportRun(runOptions(options));
}

/**
 * Removes the rows that an import inserted and restores those that it updated; see `rollbackImport`. If the result has
 * conflicts, nothing was changed.
 *
 * @throws OperationError or ConnectionError
 */
export async function rollbackImport(
  options: ConnectionTarget & { run?: string; dryRun?: boolean; signal?: AbortSignal },
): Promise<RollbackResult> {
  const { rollbackImport: rollbackRun } = await import("../import/run/rollback.ts");
  const { connection: _, env: __, ...rest } = options;
  return rollbackRun({ ...rest, connection: connectionOf(options) });
}

/** Lists the imports of a database, newest first. Changes nothing. */
export async function listImports(options: ConnectionTarget): Promise<ListedImport[]> {
  const { listImports: list } = await import("../import/verify-import.ts");
  return list(connectionOf(options));
}

/** Replaces where to connect by the connection, and a database's folder by its name. */
function runOptions<Options extends ConnectionTarget & { database: string }>(options: Options) {
  const { connection: _, env: __, ...rest } = options;
  return { ...rest, database: basename(options.database), connection: connectionOf(options) };
}
