import type { Client } from "pg";
import { inTransaction } from "../../connection/session.ts";
import type { ImportPlan } from "../plan.ts";
import type { Source } from "../source/source.ts";
import {
  type ImportRun,
  isReadFrom,
  listRuns,
  type RunTable,
  readRunTables,
  setPhase,
  stageName,
  unfinishedPhases,
} from "./ledger.ts";
import { forgetRejectedValues } from "./rejects.ts";
import type { ReplacedImport } from "./result.ts";
import { dropStages } from "./stage.ts";
import { recordWritten } from "./written.ts";

/*
 * Runs that were interrupted keep their staged rows, so that the same import can continue. A run that reads the same
 * source after a change cannot continue them, and replaces them.
 */

/**
 * Ends the interrupted runs of the same source that wrote one of the plan's tables, and removes their staged rows. Rows
 * that they had loaded stay, and are recorded, so that they can be rolled back. Call it with the deployment lock.
 */
export async function replaceInterrupted(
  client: Client,
  source: Source,
  run: ImportRun,
  plan: ImportPlan,
): Promise<ReplacedImport[]> {
  const origin = { kind: source.kind, path: source.path, name: plan.map.source };
  const others = (await listRuns(client)).filter(
    (other) => other.number !== run.number && unfinishedPhases.includes(other.phase) && isReadFrom(other, origin),
  );
  const replaced: ReplacedImport[] = [];
  for (const other of others) {
    const tables = await readRunTables(client, other);
    if (!tables.some(({ target }) => plan.tables.some(({ table }) => table.name === target))) continue;
    const loadedRows = await endInterrupted(client, other, tables);
    if (loadedRows !== undefined) replaced.push({ run: other.id, loadedRows });
  }
  return replaced;
}

/**
 * Records what a run had loaded, and removes its staged rows.
 *
 * @returns the number of rows that it had written; undefined if it stays as it is
 */
async function endInterrupted(
  client: Client,
  run: ImportRun,
  tables: readonly RunTable[],
): Promise<number | undefined> {
  try {
    return await inTransaction(client, async () => {
      if (run.phase === "loading") await recordInterrupted(client, run, tables);
      await dropStages(client, run, tables);
      await forgetRejectedValues(client, run, run.map.rejects === "quarantine");
      // It is complete. It can be compared, and rolled back.
      if (run.phase === "loaded") return undefined;
      const { rows } = await client.query<{ n: string }>(
        "select count(*) as n from pgroundwork.import_row where run = $1 and action in ('inserted', 'updated', 'deleted')",
        [run.number],
      );
      const loadedRows = Number(rows[0]?.n ?? 0);
      await setPhase(client, run, loadedRows === 0 ? "stopped" : "replaced");
      return loadedRows;
    });
  } catch (error) {
    // 42703 and 42P01: a column or table of the target is gone, so what was loaded into it cannot be recorded.
    if (error instanceof Error && "code" in error && ["42703", "42P01"].includes(String(error.code))) return undefined;
    throw error;
  }
}

/** Records what a run that was killed while it loaded had inserted: the staged rows up to its progress. */
export async function recordInterrupted(client: Client, run: ImportRun, tables: readonly RunTable[]): Promise<void> {
  for (const table of tables) {
    const stage = stageName(run, table);
    const { rows } = await client.query<{ there: boolean }>("select to_regclass($1) is not null as there", [stage]);
    if (rows[0]?.there !== true) continue;
    await recordWritten(client, run, table, `s."$action" is null and s."$ordinal" <= i.progress`);
  }
}

/** Reads the bytes of the tables that runs keep until their rows are loaded, by the number of the run. */
export async function stagedBytes(client: Client): Promise<Map<string, number>> {
  const { rows } = await client.query<{ run: string; bytes: string }>(
    `select substring(c.relname from '^import_stage_([0-9]+)_') as run, sum(pg_total_relation_size(c.oid)) as bytes
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = 'pgroundwork' and c.relkind = 'r' and c.relname ~ '^import_stage_[0-9]+_' group by 1`,
  );
  return new Map(rows.map(({ run, bytes }) => [run, Number(bytes)]));
}
