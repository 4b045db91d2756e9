import { stat } from "node:fs/promises";
import type { Client } from "pg";
import { withClient } from "../connection/client.ts";
import type { Connection } from "../connection/connection.ts";
import { inTransaction } from "../connection/session.ts";
import { unlessAbsent } from "../core/absent.ts";
import { exitCode, OperationError } from "../core/operation-error.ts";
import { type ImportPlan, planImport, type TablePlan } from "./plan.ts";
import { stagedBytes } from "./run/interrupted.ts";
import { findRun, type ImportRun, listRuns } from "./run/ledger.ts";
import { compareLive, type LiveResult } from "./run/live.ts";
import type { TableReport, VerifyResult } from "./run/result.ts";
import { fixTextForms } from "./run/text-forms.ts";
import { verifyRun } from "./run/verify.ts";
import { openKeptSource } from "./source/kept-source.ts";
import { openSource } from "./source/open-source.ts";
import type { Source } from "./source/source.ts";

/** Options of {@link verifyImport} and {@link compareImport}. */
export interface VerifyImportOptions {
  connection: Connection;
  /** Name of the database's folder. */
  database: string;
  /** The run. Default: the newest one. */
  run?: string | undefined;
  /** The source, if it is no longer where it was. */
  path?: string | undefined;
  onProgress?: (table: string, rows: number) => void;
  signal?: AbortSignal | undefined;
}

/** Result of {@link verifyImport}. */
export interface VerifiedImport {
  run: string;
  source: string;
  result: VerifyResult;
  tables: (Pick<TableReport, "source" | "target"> & Partial<TableReport>)[];
}

/**
 * Compares the source of a run with the rows that it wrote, as they are now. Changes nothing.
 *
 * @throws OperationError if the source is gone, or is not the one that was imported
 */
export async function verifyImport(options: VerifyImportOptions): Promise<VerifiedImport> {
  const { onProgress, signal } = options;
  return withRun(options, openImported, async ({ client, run, source, plan }) => {
    const found = await verifyRun(client, source, run, plan, {
      onProgress: (table, rows) => onProgress?.(table.table.name, rows),
      signal,
    });
    const tables = plan.tables.map(({ number, entry, table }) => ({
      source: entry.from,
      target: table.name,
      ...found.tables.get(number),
    }));
    return { run: run.id, source: source.path, result: found.result, tables };
  });
}

/** Result of {@link compareImport}. */
export interface ComparedImport extends LiveResult {
  run: string;
  source: string;
  /** True if the source is the same as when it was imported. */
  sourceIsSame: boolean;
}

/**
 * Compares the source of a run as it is now with the target as it is now, and tells on which side rows changed since
 * the last import. Changes nothing.
 *
 * @throws OperationError if the source is gone, or the map of the run no longer fits it
 */
export async function compareImport(options: VerifyImportOptions): Promise<ComparedImport> {
  const { onProgress, signal } = options;
  const open = ({ sourceKind, sourcePath }: ImportRun, path = sourcePath) => openSource(sourceKind, path);
  return withRun(options, open, async ({ client, run, source, plan }) => {
    const progress = (table: TablePlan, rows: number) => onProgress?.(table.table.name, rows);
    const begin = "begin isolation level repeatable read read only";
    const compare = () => compareLive(client, source, run, plan, progress, signal);
    const result = await inTransaction(client, compare, { begin });
    return { run: run.id, source: source.path, sourceIsSame: source.sha256 === run.sourceSha256, ...result };
  });
}

/** Opens the source that a run imported: where it was, else the kept copy. */
export async function openImported(run: ImportRun, path: string | undefined): Promise<Source> {
  const { sourceKind: kind, sourcePath, sourceKept, sourceSha256: sha256, sourceFiles } = run;
  const bytes = sourceFiles.reduce((sum, file) => sum + file.bytes, 0);
  const openKept = (folder: string) => openKeptSource({ kind, path: sourcePath, bytes, sha256, folder });
  const isThere = path !== undefined || (await unlessAbsent(stat(sourcePath))) !== undefined;
  if (!isThere && sourceKept !== null) return openKept(sourceKept);
  const source = await openSource(kind, path ?? sourcePath);
  if (source.sha256 === sha256) return source;
  await source.close();
  if (path === undefined && sourceKept !== null) return openKept(sourceKept);
  throw new OperationError(`${source.path} is not what was imported: its SHA-256 is ${source.sha256}.`, {
    hint: `The import was made of ${sha256}. Name that file with --source, or compare with --live.`,
  });
}

interface RunToCompare {
  client: Client;
  run: ImportRun;
  source: Source;
  plan: ImportPlan;
}

/** Opens a run that has loaded its rows, its source and its plan. */
export async function withRun<T>(
  options: VerifyImportOptions,
  open: (run: ImportRun, path: string | undefined) => Promise<Source>,
  work: (found: RunToCompare) => Promise<T>,
): Promise<T> {
  return withClient(
    options.connection,
    async (client) => {
      await fixTextForms(client);
      const run = await findRun(client, options.run);
      if (run.phase !== "loaded" && run.phase !== "verified")
        throw new OperationError(`Import ${run.id} has loaded nothing that can be compared: it is ${run.phase}.`, {
          hint: "`import list` shows all runs.",
          exitCode: exitCode.usage,
        });
      const source = await open(run, options.path);
      try {
        return await work({ client, run, source, plan: await planImport(client, source, run.map, options.database) });
      } finally {
        await source.close();
      }
    },
    "pgroundwork import",
  );
}

/** An import as the list shows it. */
export interface ListedImport extends ImportRun {
  /** Bytes that its staged rows take in the database, until it ends. */
  stagedBytes: number;
}

/** Lists the imports of a database, newest first. Changes nothing. */
export async function listImports(connection: Connection): Promise<ListedImport[]> {
  return withClient(
    connection,
    async (client) => {
      const runs = await listRuns(client);
      const staged = runs.length === 0 ? new Map<string, number>() : await stagedBytes(client);
      return runs.map((run) => ({ ...run, stagedBytes: staged.get(run.number) ?? 0 }));
    },
    "pgroundwork import",
  );
}

/** Returns one import: the named one, or the newest. Changes nothing. */
export async function readImport(connection: Connection, run?: string): Promise<ImportRun> {
  return withClient(connection, (client) => findRun(client, run), "pgroundwork import");
}
