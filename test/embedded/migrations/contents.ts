import type { Client } from "pg";
import pg from "pg";
import { tables } from "./catalog-queries.ts";

/** Returns the row count and a digest of all rows for every table, independent of their order. */
export async function contents(client: Client): Promise<Record<string, string>> {
  const digests: Record<string, string> = {};
  for (const table of await tables(client)) {
    const row = `md5(each_row::text)`;
    const { rows } = await client.query<{ digest: string }>(
      `select count(*) || ' rows ' || coalesce(md5(string_agg(${row}, '' order by ${row})), '') as digest
       from ${pg.escapeIdentifier(table)} as each_row`,
    );
    digests[table] = rows[0]?.digest ?? "";
  }
  return digests;
}

/** Counts the rows of a table. */
export async function count(client: Client, table: string): Promise<number> {
  const { rows } = await client.query<{ count: number }>(
    `select count(*)::int as count from ${pg.escapeIdentifier(table)}`,
  );
  return rows[0]?.count ?? -1;
}
