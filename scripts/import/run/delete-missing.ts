import type { Client } from "pg";
import { OperationError } from "../../core/operation-error.ts";
import type { ImportPlan } from "../plan.ts";
import { type ForeignKey, literal } from "../target/target-table.ts";
import { beforeSql } from "./before-image.ts";
import { digestSql, type ImportRun, missingName, type RunTable, readRunTables } from "./ledger.ts";
import { hasMissing, keepReferenced } from "./missing.ts";
import { deleteRows, deletionOrder, keyText, referencingKeys } from "./removal.ts";

/**
 * Deletes the missing rows that no one changed or references, and keeps them as they were. Call it in a transaction,
 * before rows are loaded that can have their unique values. A run that was interrupted can call it again.
 *
 * @returns true if it deleted rows
 * @throws OperationError if the target refuses to delete a row
 */
export async function deleteMissing(client: Client, run: ImportRun, plan: ImportPlan): Promise<boolean> {
  if (plan.map.missing !== "delete" || !(await hasMissing(client, run))) return false;
  const name = missingName(run);
  const tables = await tablesToDelete(client, run);
  for (const table of tables) await lockRows(client, run, table);
  await keepReferenced(client, run, plan);
  const keys = new Map<RunTable, ForeignKey[]>();
  for (const table of tables) {
    keys.set(table, await referencingKeys(client, table));
    await client.query(
      `insert into pgroundwork.import_row (run, number, key, action, digest, before)
       select ${run.number}, ${table.number}, m.key, 'deleted', ${digestSql(table.columns, "t")}, ${beforeSql(table.columns, "t")}
         from ${rowsToDelete(run, table)}`,
    );
  }
  for (const group of deletionOrder(tables, keys))
    await deleteRows(
      client,
      group,
      ({ target }) => `select m.key from ${name} m where m.target = ${literal(target)} and m.kind = 'missing'`,
    ).catch((error: Error) => {
      throw new OperationError(`Rows that the source no longer has cannot be deleted: ${error.message}`, {
        hint: "No row was deleted. Run `import rollback`, then import without --delete-missing.",
        cause: error,
      });
    });
  const { rowCount } = await client.query(`update ${name} set kind = 'deleted' where kind = 'missing'`);
  return (rowCount ?? 0) > 0;
}

/** Returns the tables of the target that have rows to delete. */
async function tablesToDelete(client: Client, run: ImportRun): Promise<RunTable[]> {
  const { rows } = await client.query<{ target: string }>(
    `select distinct target from ${missingName(run)} where kind = 'missing'`,
  );
  const tables = await readRunTables(client, run);
  return rows.flatMap(({ target }) => tables.find((table) => table.target === target) ?? []);
}

function rowsToDelete(run: ImportRun, table: RunTable): string {
  return `${missingName(run)} m join ${table.rows} t on ${keyText(table, "t")} = m.key
    where m.target = ${literal(table.target)} and m.kind = 'missing'`;
}

/**
 * Locks the rows of a table, so that no one can change or reference them, and keeps those that were changed since they
 * were found. Rows that are gone by now are no longer missing.
 */
async function lockRows(client: Client, run: ImportRun, table: RunTable): Promise<void> {
  const name = missingName(run);
  await client.query(`select count(*) from (select from ${rowsToDelete(run, table)} for update of t) as locked`);
  const target = literal(table.target);
  await client.query(
    `delete from ${name} m where m.target = ${target} and m.kind = 'missing'
        and not exists (select from ${table.rows} t where ${keyText(table, "t")} = m.key)`,
  );
  await client.query(
    `update ${name} m set kind = 'conflict', reason = 'the target changed it during this import' from ${table.rows} t
      where m.target = ${target} and m.kind = 'missing' and ${keyText(table, "t")} = m.key
        and m.digest is distinct from ${digestSql(table.columns, "t")}`,
  );
}
