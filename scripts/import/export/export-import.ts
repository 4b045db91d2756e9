import { copyFile, mkdir, readdir, rename, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { Client } from "pg";
import { inTransaction } from "../../connection/session.ts";
import { unlessAbsent } from "../../core/absent.ts";
import { exitCode, OperationError } from "../../core/operation-error.ts";
import type { ImportPlan, TablePlan } from "../plan.ts";
import { type ImportRun, keySql } from "../run/ledger.ts";
import type { JsonSource } from "../source/json/json-source.ts";
import { requireSpace } from "../source/require-space.ts";
import { openImported, type VerifyImportOptions, withRun } from "../verify-import.ts";
import { DocumentRewriter } from "./documents.ts";
import { type ExportedChange, ExportReport, type NotWritten } from "./report.ts";
import { isLines, rewriteFile } from "./rewrite-file.ts";

/** Options of {@link exportImport}. */
export interface ExportImportOptions extends Omit<VerifyImportOptions, "onProgress"> {
  /** Folder that is created and gets the files. */
  to: string;
  onProgress?: (file: string) => void;
}

/** Result of {@link exportImport}. */
export interface ExportedImport {
  run: string;
  source: string;
  folder: string;
  /** Files relative to the folder. */
  files: string[];
  /** Rows that differ from the imported documents, by table. */
  tables: ({ table: string } & Record<ExportedChange, number>)[];
  /** Number of values and rows of the target that the documents do not have. */
  notWrittenCount: number;
  /** The first of them. */
  notWritten: NotWritten[];
}

/**
 * Writes the JSON files of an import again, as the target is now, so that the system which wrote them can go on with
 * them. Documents whose rows are as they were imported keep their bytes. Changes nothing in the database.
 *
 * @throws OperationError if the import was not made of JSON, its files are gone, or the folder has files
 */
export async function exportImport(options: ExportImportOptions): Promise<ExportedImport> {
  const folder = resolve(options.to);
  const open = async (run: ImportRun, path: string | undefined) => {
    if (run.sourceKind !== "json")
      throw new OperationError(`Import ${run.id} was made of SQLite, and only JSON files can be written back.`, {
        hint: "The SQLite file is as it was. `import rollback` removes its rows from the database.",
        exitCode: exitCode.usage,
      });
    await requireEmpty(folder);
    return openImported(run, path);
  };
  return withRun(options, open, async ({ client, run, source, plan }) => {
    const begin = "begin isolation level repeatable read read only";
    const part = `${folder}.part`;
    await rm(part, { recursive: true, force: true });
    try {
      const written = await inTransaction(
        client,
        () => writeFiles(client, run, source as JsonSource, plan, part, options.onProgress, options.signal),
        { begin },
      );
      // A folder that exists is empty.
      await rm(folder, { recursive: true, force: true });
      await rename(part, folder);
      return { run: run.id, source: source.path, folder, ...written };
    } catch (error) {
      await rm(part, { recursive: true, force: true });
      throw error;
    }
  });
}

async function requireEmpty(folder: string): Promise<void> {
  const entries = await unlessAbsent(readdir(folder));
  if (entries === undefined || entries.length === 0) return;
  throw new OperationError(`${folder} is not empty. Nothing was written.`, {
    hint: "Name a folder that does not exist with --to.",
    exitCode: exitCode.notAllowed,
  });
}

async function writeFiles(
  client: Client,
  run: ImportRun,
  source: JsonSource,
  { tables }: ImportPlan,
  folder: string,
  onProgress: (file: string) => void = () => {},
  signal?: AbortSignal,
): Promise<Omit<ExportedImport, "run" | "source" | "folder">> {
  const report = new ExportReport();
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await requireSpace(folder, source.files.reduce((sum, { bytes }) => sum + bytes, 0) * 2, "The export");
  const target = (name: string) => join(folder, name);
  const nameOf = new Map(source.copies.map(({ path, name }) => [path, name]));
  for (const { path, name } of source.copies) {
    await mkdir(dirname(target(name)), { recursive: true, mode: 0o700 });
    await copyFile(path, target(name));
  }
  const collections = [...new Set(tables.map(({ entry }) => entry.from))];
  for (const from of collections) {
    const plans = tables.filter(({ entry }) => entry.from === from);
    const parts = source.partsOf(from);
    const [only] = parts;
    const canAdd =
      parts.length === 1 && only !== undefined && (!isLines(only) || /\.(ndjson|jsonl)$/i.test(only.file.path));
    const rewriter = new DocumentRewriter(client, run, plans, report, canAdd);
    await rewriter.prepare();
    for (const part of parts) {
      signal?.throwIfAborted();
      const name = nameOf.get(part.file.path) ?? "";
      onProgress(name);
      rewriter.begin(part.file);
      await rewriteFile(part, target(name), `${target(name)}.next`, rewriter);
      await rename(`${target(name)}.next`, target(name));
    }
    for (const plan of plans) await countUnwritten(client, run, plan, rewriter.whyNotNew(plan), report);
  }
  const { tables: changed, notWrittenCount, named } = report;
  return { files: [...nameOf.values()], tables: changed, notWrittenCount, notWritten: named };
}

/** Counts new rows that no document gets, because the map does not say which one. */
async function countUnwritten(
  client: Client,
  run: ImportRun,
  plan: TablePlan,
  reason: string | undefined,
  report: ExportReport,
): Promise<void> {
  if (reason === undefined) return;
  const { rows } = await client.query<{ n: number; key: string }>(
    `select count(*)::int as n, min(${keySql(plan, "t")}) as key from ${plan.table.rows} t
      where not exists (select from pgroundwork.import_row r
                         where r.run = ${run.number} and r.number = ${plan.number} and r.key = ${keySql(plan, "t")})`,
  );
  const [{ n, key } = { n: 0, key: "" }] = rows;
  if (n > 0) report.notWritten(plan.table.name, `${key} and ${n - 1} others`, undefined, reason, n);
}
