import type { Client } from "pg";
import type { TableState } from "./scope.ts";

/**
 * Returns the states of tables in a database, by name (for an index, the state of its table). A table without a page is
 * empty. A table that another session has locked counts as having rows, because its size cannot be read.
 *
 * @param names `orders` in the schema public, else `audit.orders`; not quoted
 */
export async function readTableStates(client: Client, names: readonly string[]): Promise<Map<string, TableState>> {
  const states = new Map<string, TableState>();
  for (const name of names) states.set(name, await stateOf(client, name));
  return states;
}

async function stateOf(client: Client, name: string): Promise<TableState> {
  const quoted = name.split(".").map((part) => client.escapeIdentifier(part));
  // Reading a size needs a lock that conflicts only with a session that changes the table.
  await client.query("set lock_timeout = '1s'");
  try {
    const { rows } = await client.query<{ there: boolean; bytes: number | null }>(
      `with relation as (select coalesce(indrelid, c.oid) as oid
                           from pg_class c left join pg_index on indexrelid = c.oid where c.oid = to_regclass($1))
       select count(*) > 0 as there, sum(pg_relation_size(part))::float8 as bytes
         from relation, lateral (select relation.oid as part union select relid from pg_partition_tree(relation.oid)) parts`,
      [quoted.join(".")],
    );
    if (rows[0]?.there !== true) return "absent";
    return rows[0].bytes === 0 ? "empty" : "rows";
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "55P03") return "rows";
    throw error;
  } finally {
    await client.query("reset lock_timeout");
  }
}
