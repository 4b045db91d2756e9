import type { Client } from "pg";
import { OperationError } from "../../core/operation-error.ts";
import { type ForeignKey, readForeignKeys } from "../target/target-table.ts";
import { dependencyGroups } from "./groups.ts";
import { type RunTable, rowAlias } from "./ledger.ts";
import { withHashJoins } from "./unchanged.ts";

/** Reads the foreign keys that reference a table of a run. */
export async function referencingKeys(client: Client, { target }: Pick<RunTable, "target">): Promise<ForeignKey[]> {
  const { rows } = await client.query<{ oid: string | null }>("select to_regclass($1)::oid::text as oid", [target]);
  const oid = rows[0]?.oid;
  if (oid) return readForeignKeys(client, "confrelid", [oid]);
  throw new OperationError(`The table ${target} no longer exists.`, {
    hint: "Its rows are gone with it; nothing was changed.",
  });
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
  const deletions = group.map(
    (table, index) =>
      `d${index} as (delete from ${table.target} t using (${keysOf(table)}) r where r.key = ${keyText(table, "t")} returning 1)`,
  );
  const counts = group.map((_, index) => `(select count(*) from d${index})::int as n${index}`);
  const { rows } = await withHashJoins<Record<string, number>>(
    client,
    `with ${deletions.join(", ")} select ${counts.join(", ")}`,
  );
  for (const table of group) {
    // With a limit, the server would expect to find a row soon, and compare each row with each other one.
    const left = await withHashJoins(
      client,
      `select from (${keysOf(table)}) r join ${table.target} t on r.key = ${keyText(table, "t")} limit 1`,
    );
    if (left.rowCount !== 0)
      throw new OperationError(`A trigger of ${table.target} keeps rows from being deleted. Nothing was changed.`, {
        hint: "Allow it in the map's `session`, or delete the rows by a migration.",
      });
  }
  return group.map((_, index) => rows[0]?.[`n${index}`] ?? 0);
}
