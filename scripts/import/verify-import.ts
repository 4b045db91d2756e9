import { withClient } from "../connection/client.ts";
import type { Connection } from "../connection/connection.ts";
import { exitCode, OperationError } from "../core/operation-error.ts";
import { planImport } from "./plan.ts";
import { findRun, type ImportRun, listRuns } from "./run/ledger.ts";
import type { TableReport, VerifyResult } from "./run/result.ts";
import { fixTextForms } from "./run/text-forms.ts";
import { verifyRun } from "./run/verify.ts";
import { openSource } from "./source/open-source.ts";

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
 * @param options.path the source, if it is no longer where it was
 * @throws OperationError if the source is gone, or is not the one that was imported
 */
export async function verifyImport(options: {
  connection: Connection;
  /** Name of the database's folder. */
  database: string;
  run?: string | undefined;
  path?: string | undefined;
  onProgress?: (table: string, rows: number) => void;
  signal?: AbortSignal | undefined;
}): Promise<VerifiedImport> {
  const { connection, database, onProgress, signal } = options;
  return withClient(
    connection,
    async (client) => {
      await fixTextForms(client);
      const run = await findRun(client, options.run);
      if (run.phase !== "loaded" && run.phase !== "verified")
        throw new OperationError(`Import ${run.id} has loaded nothing that can be compared: it is ${run.phase}.`, {
          hint: "`import list` shows all runs.",
          exitCode: exitCode.usage,
        });
      const source = await openSource(run.sourceKind, options.path ?? run.sourcePath);
      try {
        if (source.sha256 !== run.sourceSha256)
          throw new OperationError(`${source.path} is not what was imported: its SHA-256 is ${source.sha256}.`, {
            hint: `The import was made of ${run.sourceSha256}. Name that file with --source.`,
          });
        const plan = await planImport(client, source, run.map, database);
        const found = await verifyRun(
          client,
          source,
          run,
          plan,
          (table, rows) => onProgress?.(table.table.name, rows),
          signal,
        );
        const tables = plan.tables.map(({ number, entry, table }) => ({
          source: entry.from,
          target: table.name,
          ...found.tables.get(number),
        }));
        return { run: run.id, source: source.path, result: found.result, tables };
      } finally {
        await source.close();
      }
    },
    "pgroundwork import",
  );
}

/** Lists the imports of a database, newest first. Changes nothing. */
export async function listImports(connection: Connection): Promise<ImportRun[]> {
  return withClient(connection, listRuns, "pgroundwork import");
}

/** Returns one import: the named one, or the newest. Changes nothing. */
export async function readImport(connection: Connection, run?: string): Promise<ImportRun> {
  return withClient(connection, (client) => findRun(client, run), "pgroundwork import");
}
