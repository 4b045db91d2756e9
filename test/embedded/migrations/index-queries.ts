import type { Client } from "pg";
import type { KeysAndIndexes } from "./keys-and-indexes.ts";
import { type DatabaseQueries, listQueries } from "./named-queries.ts";
import { plannedIndexes } from "./query-plan.ts";
import { inTransaction } from "./sql-files.ts";

/*
 * Each database has a query for each of its indexes. Frequent queries are named in `queries.ts`, and are planned and
 * run at volume. The others are in `index-queries.ts`. They may find nothing: they show only that the index can serve
 * them.
 */

/** SQL of a query for each index, by the index's name. */
export type IndexQueries = Readonly<Record<string, string>>;

/**
 * Lists the indexes that need a query of their own. The others have a reason that is tested elsewhere: a named query
 * uses them, with all columns that they include, or they support a unique key or a foreign key.
 */
export function indexesToQuery(list: KeysAndIndexes, queries: DatabaseQueries): string[] {
  const named = listQueries(queries);
  const used = new Set(named.flatMap(({ uses }) => uses));
  const enough = new Set(named.flatMap(({ indexOnly = [] }) => indexOnly));
  const found = Object.values(list).flatMap(({ keys, indexes }) => {
    const foreign = Object.values(keys).flatMap((key) => /^FOREIGN KEY \((.*?)\)/.exec(key)?.[1] ?? []);
    const hasReason = ([name, definition]: [string, string]) =>
      hasInclude(definition) ? enough.has(name) : used.has(name) || supportsKey(definition, foreign);
    return Object.entries(indexes)
      .filter((index) => !hasReason(index))
      .map(([name]) => name);
  });
  return found.sort();
}

/**
 * Returns true if the planner uses an index for a query when the table has no other index and may not be read as a
 * whole. So the answer does not depend on the size of the table. An index with INCLUDE must be enough by itself.
 *
 * @param definition definition of the index
 */
export async function canServe(superuser: Client, index: string, definition: string, sql: string): Promise<boolean> {
  const isEnough = hasInclude(definition);
  return inTransaction(superuser, "rollback", async () => {
    await superuser.query(
      `update pg_index set indisvalid = false
       from pg_index as wanted, lateral (select wanted.indrelid as relid union select relid from pg_partition_tree(wanted.indrelid)) as part
       where wanted.indexrelid = $1::regclass and pg_index.indrelid = part.relid and pg_index.indexrelid <> wanted.indexrelid
         and pg_index.indexrelid not in (select relid from pg_partition_tree(wanted.indexrelid) where relid is not null)`,
      [index],
    );
    for (const method of ["seqscan", ...(isEnough ? ["bitmapscan"] : [])])
      await superuser.query(`set local enable_${method} = off`);
    const planned = await plannedIndexes(superuser, sql);
    return planned.some((each) => each.index === index && (each.indexOnly || !isEnough));
  });
}

function hasInclude(definition: string): boolean {
  return definition.includes(" INCLUDE (");
}

function supportsKey(definition: string, foreignKeys: readonly string[]): boolean {
  if (definition.startsWith("unique ")) return true;
  const [, columns = ""] = /^btree \((.*?)\)/.exec(definition) ?? [];
  const plain = columns.replaceAll(" DESC", "");
  return foreignKeys.some((key) => plain === key || plain.startsWith(`${key}, `));
}
