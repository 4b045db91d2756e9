import type { Client } from "pg";
import { OperationError } from "../../core/operation-error.ts";
import { type ForeignKey, literal, readForeignKeys } from "../target/target-table.ts";
import { dependencyGroups } from "./groups.ts";
import { withHashJoins } from "./hash-joins.ts";
import { type RunTable, rowAlias } from "./ledger.ts";

/**
 * Reads the foreign keys that reference a table of a run, one of its partitions, or the table whose partition it is.
 */
export async function referencingKeys(client: Client, { target }: Pick<RunTable, "target">): Promise<ForeignKey[]> {
  const { rows } = await client.query<{ oid: string }>(
    `select to_regclass($1)::oid::text as oid where to_regclass($1) is not null
     union select relid::oid::text from pg_partition_tree(to_regclass($1))
     union select relid::oid::text from pg_partition_ancestors(to_regclass($1))`,
    [target],
  );
  if (rows.length > 0) {
    const oids = rows.map(({ oid }) => oid);
    return readForeignKeys(client, "confrelid", oids);
  }
  throw new OperationError(`The table ${target} no longer exists.`, {
    hint: "Its rows are gone with it; nothing was changed.",
  });
}

/** SQL that is true for rows `t` of a table that a foreign key can reference: it can be that of a partition. */
export function isReferable({ parent }: ForeignKey, { target }: Pick<RunTable, "target">): string {
  if (parent === target) return "true";
  return `t.tableoid in (select relid from pg_partition_tree(${literal(parent)}::regclass))`;
}

/** SQL of a row's key, as the run recorded it. */
export function keyText(table: Pick<RunTable, "keySql">, alias: string): string {
  return table.keySql.replaceAll(rowAlias, alias);
}

/** Groups tables so that each comes before those that it references; a circle is one group. */
export function deletionOrder(
  tables: readonly RunTable[],
  keys: ReadonlyMap<RunTable, readonly ForeignKey[]>,
): RunTable[][] {
  return dependencyGroups(tables, (table) =>
    tables.filter((each) => each !== table && keys.get(table)?.some((key) => key.table === each.target)),
  );
}

/**
 * Deletes rows of tables that can reference each other, with one statement, because foreign keys are checked at its
 * end.
 *
 * @param keysOf SQL of a query that gives the keys of a table's rows, as its column `key`
 * @returns the number of deleted rows of each table
 * @throws OperationError if a trigger keeps a row
 */
export async function deleteRows(
  client: Client,
  group: readonly RunTable[],
  keysOf: (table: RunTable) => string,
): Promise<number[]> {
  const deletions = group.map((table, index) => `d${index} as (${deletionSql(table, keysOf(table))})`);
  const counts = group.map((_, index) => `(select count(*) from d${index})::int as n${index}`);
  const { rows } = await withHashJoins<Record<string, number>>(
    client,
    `with ${deletions.join(", ")} select ${counts.join(", ")}`,
  );
  for (const table of group) await requireDeleted(client, table, keysOf(table));
  return group.map((_, index) => rows[0]?.[`n${index}`] ?? 0);
}

/** SQL that deletes rows of a table. `keys`: SQL of a query that gives their keys, as its column `key`. */
export function deletionSql(table: RunTable, keys: string): string {
  return `delete from ${table.rows} t using (${keys}) r where r.key = ${keyText(table, "t")} returning 1`;
}

/** Throws if rows that were to be deleted are still there. */
export async function requireDeleted(client: Client, table: RunTable, keys: string): Promise<void> {
  // With a limit, the server would expect to find a row soon, and compare each row with each other one.
  const left = await withHashJoins(
    client,
    `select from (${keys}) r join ${table.rows} t on r.key = ${keyText(table, "t")} limit 1`,
  );
  if (left.rowCount === 0) return;
  throw new OperationError(`A trigger of ${table.target} keeps rows from being deleted. Nothing was changed.`, {
    hint: "Allow it in the map's `session`, or delete the rows by a migration.",
  });
}
