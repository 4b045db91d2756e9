import type { Client } from "pg";
import { isFromServer } from "../../connection/server-fault.ts";
import { OperationError } from "../../core/operation-error.ts";
import { identifier } from "../target/target-table.ts";
import { shown } from "../values/shown.ts";
import { type RestoredColumn, restoredColumns } from "./before-image.ts";
import { withHashJoins } from "./hash-joins.ts";
import type { ImportRun, RunTable } from "./ledger.ts";
import { deletionSql, keyText, requireDeleted } from "./removal.ts";

/** A reason why a run is not rolled back. */
export interface RollbackConflict {
  table: string;
  /** Key of the row of the run. If another row has the values that a row had: their names and values. */
  key: string;
  reason: string;
}

/** Rows of a table that a rollback changed. */
export interface RevertedTable {
  table: string;
  deleted: number;
  restored: number;
  /** Rows that the run deleted. */
  reinserted: number;
  /** Rows that the run inserted or updated, and that were deleted since. */
  gone: number;
}

/** Thrown if a row cannot get the values that it had. The transaction has failed. */
export class RestoreConflict extends Error {
  readonly conflict: RollbackConflict;

  constructor(conflict: RollbackConflict) {
    super(conflict.reason);
    this.conflict = conflict;
  }
}

/** SQL of what a run recorded of the rows of a table: `r` is a row's record. */
export function recordsOf(run: ImportRun, table: RunTable, action: "inserted" | "updated" | "deleted"): string {
  return `from pgroundwork.import_row r
    where r.run = ${run.number} and r.number = ${table.number} and r.action = '${action}'`;
}

/**
 * Deletes the rows that a run inserted, restores those that it updated, and inserts those that it deleted. One
 * statement does all of it, because foreign keys are checked at its end. Call it when the rows are locked.
 *
 * @param tables each before those that it references
 * @throws RestoreConflict if another row has a value that a row had, or its parent is gone
 */
export async function revertRows(
  client: Client,
  run: ImportRun,
  tables: readonly RunTable[],
): Promise<RevertedTable[]> {
  const inserted = (table: RunTable) => `select r.key ${recordsOf(run, table, "inserted")}`;
  const gone = new Map<RunTable, number>();
  const parts: [name: string, sql: string][] = tables.map((table, n) => [`d${n}`, deletionSql(table, inserted(table))]);
  const insertions: typeof parts = [];
  for (const [index, table] of tables.entries()) {
    gone.set(table, await countGone(client, run, table));
    const columns = await restoredColumns(client, table);
    const restored = columns.filter(({ name, isIdentity }) => !isIdentity && !table.key.map(identifier).includes(name));
    if (restored.length > 0) parts.push([`u${index}`, restorationSql(run, table, restored)]);
    insertions.push([`i${index}`, insertionSql(run, table, columns)]);
  }
  parts.push(...insertions);
  const done = await revert(client, run, parts);
  for (const table of tables) await requireDeleted(client, table, inserted(table));
  const result: RevertedTable[] = [];
  for (const [index, table] of tables.entries()) {
    result.push({
      table: table.target,
      deleted: done[`d${index}`] ?? 0,
      restored: done[`u${index}`] ?? 0,
      reinserted: done[`i${index}`] ?? 0,
      gone: gone.get(table) ?? 0,
    });
  }
  return result;
}

/** Counts the rows that a run wrote and that were deleted since. */
async function countGone(client: Client, run: ImportRun, table: RunTable): Promise<number> {
  const { rows } = await withHashJoins<{ n: number }>(
    client,
    `select count(*)::int as n from pgroundwork.import_row r
      where r.run = ${run.number} and r.number = ${table.number} and r.action in ('inserted', 'updated')
        and not exists (select from ${table.rows} t where r.key = ${keyText(table, "t")})`,
  );
  return rows[0]?.n ?? 0;
}

function restorationSql(run: ImportRun, table: RunTable, columns: readonly RestoredColumn[]): string {
  return `update ${table.rows} t set ${columns.map(({ name, value }) => `${name} = ${value}`).join(", ")}
    ${recordsOf(run, table, "updated")} and r.key = ${keyText(table, "t")} returning 1`;
}

function insertionSql(run: ImportRun, table: RunTable, columns: readonly RestoredColumn[]): string {
  return `insert into ${table.target} (${columns.map(({ name }) => name).join(", ")}) overriding system value
    select ${columns.map(({ value }) => value).join(", ")} ${recordsOf(run, table, "deleted")} returning 1`;
}

/** Runs the parts of a statement in their order, so that unique values are free before they are needed. */
async function revert(
  client: Client,
  run: ImportRun,
  parts: readonly [name: string, sql: string][],
): Promise<Record<string, number>> {
  const statements = parts.map(([name, sql]) => `${name} as (${sql})`);
  const counts = parts.map(([name]) => `(select count(*) from ${name})::int as ${name}`);
  try {
    const { rows } = await withHashJoins<Record<string, number>>(
      client,
      `with ${statements.join(", ")} select ${counts.join(", ")}`,
    );
    await client.query("set constraints all immediate");
    return rows[0] ?? {};
  } catch (error) {
    throw explained(error, run);
  }
}

/** SQLSTATEs that do not concern a row: lost connections, conflicts with other sessions, privileges, the server. */
const notOfRows = /^(08|40|42501|53|55|57|58|XX)/;

/** Names what violates a constraint when rows get the values that they had. */
function explained(error: unknown, run: ImportRun): unknown {
  if (!isFromServer(error) || notOfRows.test(String(error.code))) return error;
  const { schema, table, detail } = error as { schema?: string; table?: string; detail?: string };
  if (/^23/.test(String(error.code)) && schema !== undefined && table !== undefined) {
    // The detail has the values: Key (email)=(a@example.com) already exists.
    const values = run.map.mask === undefined ? /\(.*\)=\(.*\)/s.exec(detail ?? "")?.[0] : undefined;
    return new RestoreConflict({
      table: `${schema}.${table}`,
      key: values === undefined ? "a row" : shown(values),
      reason: `cannot be as before the import: ${shown(error.message)}`,
    });
  }
  return new OperationError(`Rows of import ${run.id} cannot be as they were: ${error.message}. Nothing was changed.`, {
    hint: "Remove what is in their way, and run the same command again.",
    cause: error,
  });
}
