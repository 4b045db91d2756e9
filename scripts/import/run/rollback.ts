import type { Client } from "pg";
import { withClient } from "../../connection/client.ts";
import type { Connection } from "../../connection/connection.ts";
import { detectLostClients, inTransaction, setLocally } from "../../connection/session.ts";
import { exitCode, OperationError } from "../../core/operation-error.ts";
import { type LockHolder, withDeploymentLock } from "../../ledger/deployment-lock.ts";
import { type ForeignKey, identifier, literal } from "../target/target-table.ts";
import { printed } from "../values/codec.ts";
import { recordInterrupted } from "./interrupted.ts";
import {
  digestSql,
  findRun,
  type ImportRun,
  listRuns,
  type RunTable,
  readRunTables,
  setPhase,
  shownKey,
} from "./ledger.ts";
import { forgetRejectedValues } from "./rejects.ts";
import { deletionOrder, isReferable, keyText, referencingKeys } from "./removal.ts";
import { RestoreConflict, type RevertedTable, type RollbackConflict, recordsOf, revertRows } from "./revert.ts";
import { dropStages } from "./stage.ts";
import { fixTextForms } from "./text-forms.ts";

export type { RollbackConflict } from "./revert.ts";

/** Result of {@link rollbackImport}. */
export interface RollbackResult {
  run: string;
  tables: RevertedTable[];
  /** Rows that changed or became referenced since. If there is any, nothing was changed. */
  conflicts: RollbackConflict[];
  /** Newer runs that wrote no row, so that they were not chosen. Empty if the run was named. */
  passedOver: string[];
}

/** Obstacles that are listed for each table. */
const shownConflicts = 20;

/**
 * Removes exactly the rows that a run inserted, and restores those that it updated or deleted. If a row was changed
 * since, or another row references it, nothing is changed.
 *
 * @param options.run the run. Default: the newest one that wrote rows or was interrupted
 */
export async function rollbackImport(options: {
  connection: Connection;
  run?: string | undefined;
  dryRun?: boolean | undefined;
  onWait?: (holder: LockHolder) => void;
  signal?: AbortSignal | undefined;
}): Promise<RollbackResult> {
  const { connection, signal, onWait = () => {} } = options;
  return withClient(
    connection,
    async (client) => {
      await detectLostClients(client);
      await fixTextForms(client);
      const { run, passedOver } = await chooseRun(client, options.run);
      requireLoaded(run);
      const work = () => rollbackLocked(client, run, options.dryRun ?? false);
      return { ...(await withDeploymentLock(client, work, onWait, signal)), passedOver };
    },
    "pgroundwork import",
  );
}

/** Returns the named run, or the newest one that has something to roll back. */
async function chooseRun(client: Client, named: string | undefined): Promise<{ run: ImportRun; passedOver: string[] }> {
  if (named !== undefined) return { run: await findRun(client, named), passedOver: [] };
  const runs = await listRuns(client);
  const passedOver: string[] = [];
  for (const run of runs) {
    if (!(await changedNothing(client, run))) return { run, passedOver };
    passedOver.push(run.id);
  }
  if (runs.length === 0) return { run: await findRun(client, undefined), passedOver };
  throw new OperationError("No import of this database wrote a row, so there is nothing to roll back.", {
    hint: "`import list` shows all runs.",
    exitCode: exitCode.usage,
  });
}

/** Returns true if a run has ended and wrote no row. One that was interrupted has at least its stages. */
async function changedNothing(client: Client, { number, phase }: ImportRun): Promise<boolean> {
  if (phase === "stopped") return true;
  if (phase !== "loaded" && phase !== "verified" && phase !== "replaced") return false;
  const { rowCount } = await client.query(
    "select from pgroundwork.import_row where run = $1 and action in ('inserted', 'updated', 'deleted') limit 1",
    [number],
  );
  return rowCount === 0;
}

function requireLoaded({ id, phase }: ImportRun): void {
  if (phase !== "rolled back" && phase !== "stopped") return;
  const why = phase === "rolled back" ? "was rolled back already" : "was stopped and loaded nothing";
  throw new OperationError(`Import ${id} ${why}.`, {
    hint: "`import list` shows all runs.",
    exitCode: exitCode.usage,
  });
}

async function rollbackLocked(
  client: Client,
  run: ImportRun,
  dryRun: boolean,
): Promise<Omit<RollbackResult, "passedOver">> {
  const tables = await readRunTables(client, run);
  const result: Omit<RollbackResult, "passedOver"> = { run: run.id, tables: [], conflicts: [] };
  // It has loaded nothing, whatever its tables have become since.
  if (run.phase === "staging" || run.phase === "validated") {
    const nothing = { deleted: 0, restored: 0, reinserted: 0, gone: 0 };
    if (!dryRun) await removeStages(client, run, tables);
    return { ...result, tables: tables.map(({ target }) => ({ table: target, ...nothing })) };
  }
  await requireColumns(client, run, tables);
  const keys = new Map<RunTable, ForeignKey[]>();
  for (const table of tables) keys.set(table, await referencingKeys(client, table));
  await inTransaction(client, async () => {
    await setLocally(client, run.map.session ?? {});
    if (run.phase === "loading") await recordInterrupted(client, run, tables);
    await dropStages(client, run, tables);
    // No one may change or reference the rows between the check and the deletion.
    for (const table of tables) {
      await client.query(`lock table ${table.target} in share row exclusive mode`);
      // A row that references one of them locks it, and may not be committed yet.
      await client.query(`select count(*) from (select from ${writtenRows(run, table)} for update of t) as locked`);
    }
    for (const table of tables) {
      result.conflicts.push(...(await findChanged(client, run, table)), ...(await findReplaced(client, run, table)));
      for (const key of keys.get(table) ?? [])
        result.conflicts.push(...(await findReferences(client, run, table, key, tables)));
    }
    if (result.conflicts.length > 0) throw new NothingChanged();
    result.tables.push(...(await revertRows(client, run, deletionOrder(tables, keys).flat())));
    if (dryRun) throw new NothingChanged();
    await setPhase(client, run, "rolled back");
  }).catch((error: unknown) => {
    if (error instanceof RestoreConflict) result.conflicts.push(error.conflict);
    else if (!(error instanceof NothingChanged)) throw error;
  });
  return result;
}

/** Refuses a rollback if a table lacks a column: it cannot be told which of its rows were changed since the run. */
async function requireColumns(client: Client, run: ImportRun, tables: readonly RunTable[]): Promise<void> {
  for (const { target, columns } of tables) {
    const { rows } = await client.query<{ name: string }>(
      `select name from unnest($2::text[]) as name where to_regclass($1) is not null and not exists (
         select from pg_attribute where attrelid = to_regclass($1) and attname = name and not attisdropped)`,
      [target, columns],
    );
    if (rows.length === 0) continue;
    const names = rows.map(({ name }) => identifier(name)).join(", ");
    throw new OperationError(
      `${target} no longer has what import ${run.id} wrote: ${names}. Rows that were changed since cannot be told from others. Nothing was changed.`,
      { hint: "Rename the columns back if they were renamed. Otherwise, delete the rows by a migration." },
    );
  }
}

/** Ends the transaction without a change. What an interrupted run needs to continue stays, too. */
class NothingChanged extends Error {}

/** Removes what a run keeps until its rows are loaded, and marks it as rolled back. */
async function removeStages(client: Client, run: ImportRun, tables: readonly RunTable[]): Promise<void> {
  await inTransaction(client, async () => {
    await dropStages(client, run, tables);
    await forgetRejectedValues(client, run, run.map.rejects === "quarantine");
    await setPhase(client, run, "rolled back");
  });
}

/** SQL of the rows of the target that a run wrote: `t` is the row, `r` its record. */
function writtenRows(run: ImportRun, table: RunTable): string {
  return `pgroundwork.import_row r join ${table.rows} t on r.key = ${keyText(table, "t")}
    where r.run = ${run.number} and r.number = ${table.number} and r.action in ('inserted', 'updated')`;
}

async function findChanged(client: Client, run: ImportRun, table: RunTable): Promise<RollbackConflict[]> {
  const { rows } = await client.query<{ key: string }>(
    `select r.key from ${writtenRows(run, table)} and r.digest is distinct from ${digestSql(table.columns, "t")}
      order by 1 limit ${shownConflicts}`,
  );
  return rows.map(({ key }) => ({ table: table.target, key: shownKey(key), reason: "was changed after the import" }));
}

/** Finds rows that reference an inserted row and are not of this run. */
async function findReferences(
  client: Client,
  run: ImportRun,
  table: RunTable,
  key: ForeignKey,
  tables: readonly RunTable[],
): Promise<RollbackConflict[]> {
  const own = tables.find(({ target }) => target === key.table);
  const match = key.columns
    .map((name, index) => `c.${identifier(name)} = t.${identifier(key.parentColumns[index] ?? "")}`)
    .join(" and ");
  const restored = key.columns
    .map((name) => `o.before ->> ${literal(name)} is distinct from ${printed(`c.${identifier(name)}`)}`)
    .join(" or ");
  const ofRun =
    own === undefined
      ? "false"
      : `exists (select from pgroundwork.import_row o where o.run = ${run.number} and o.number = ${own.number}
           and o.key = ${keyText(own, "c")} and (o.action = 'inserted' or o.action = 'updated' and (${restored})))`;
  const { rows } = await client.query<{ key: string }>(
    `select distinct r.key from pgroundwork.import_row r
       join ${table.rows} t on r.key = ${keyText(table, "t")}
       join ${key.table} c on ${match}
      where r.run = ${run.number} and r.number = ${table.number} and r.action = 'inserted'
        and ${isReferable(key, table)} and not ${ofRun}
      order by 1 limit ${shownConflicts}`,
  );
  return rows.map(({ key: row }) => ({
    table: table.target,
    key: shownKey(row),
    reason: `is referenced by ${key.table} (${key.name})`,
  }));
}

/** Finds rows that the run deleted and that exist again. */
async function findReplaced(client: Client, run: ImportRun, table: RunTable): Promise<RollbackConflict[]> {
  const { rows } = await client.query<{ key: string }>(
    `select r.key ${recordsOf(run, table, "deleted")}
        and r.key in (select ${keyText(table, "t")} from ${table.rows} t) order by 1 limit ${shownConflicts}`,
  );
  return rows.map(({ key }) => ({
    table: table.target,
    key: shownKey(key),
    reason: "was deleted by the import, and exists again",
  }));
}
