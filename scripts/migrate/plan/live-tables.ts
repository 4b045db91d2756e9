import type { Client } from "pg";

/** Row count and size of a table in the live database. */
export interface LiveTable {
  /** Approximate number of rows, from the server's statistics; null if there are none yet. */
  rows: number | null;
  /** Size in bytes, with indexes and TOAST; null if another session has locked the table. */
  bytes: number | null;
}

/**
 * Returns row count and size of tables, by name, with their partitions. Names that do not exist are left out.
 *
 * @param names names with schema, quoted if necessary
 */
export async function readLiveTables(client: Client, names: readonly string[]): Promise<Map<string, LiveTable>> {
  const tables = new Map<string, LiveTable>();
  for (const name of names) {
    const rows = await rowsOf(client, name);
    if (rows !== undefined) tables.set(name, { rows, bytes: await bytesOf(client, name) });
  }
  return tables;
}

/**
 * Returns the row count from VACUUM and ANALYZE, or else the live rows since the server's statistics began; undefined
 * if the table does not exist. A partitioned table's own count is not added, because it repeats that of its partitions.
 */
async function rowsOf(client: Client, name: string): Promise<number | null | undefined> {
  const { rows } = await client.query<{ there: boolean; rows: number | null }>(
    `select count(*) > 0 as there,
            sum(case when reltuples >= 0 then reltuples
                     when pg_stat_get_live_tuples(c.oid) > 0 then pg_stat_get_live_tuples(c.oid) end)
              filter (where relkind <> 'p')::float8 as rows
       from pg_class c
      where c.oid = to_regclass($1)
         or relkind in ('r', 'f') and c.oid in (select relid from pg_partition_tree(to_regclass($1)))`,
    [name],
  );
  const row = rows[0];
  return row?.there === true ? row.rows : undefined;
}

/**
 * Reads a size. This needs a lock that conflicts only with a session that changes the table. It waits at most one
 * second for it.
 */
async function bytesOf(client: Client, name: string): Promise<number | null> {
  await client.query("begin; set local lock_timeout = '1s'");
  try {
    const { rows } = await client.query<{ bytes: number }>(
      `select coalesce(sum(pg_total_relation_size(relid)), 0)::float8 + pg_total_relation_size(to_regclass($1))::float8 as bytes
         from pg_partition_tree(to_regclass($1)) where relid <> to_regclass($1)`,
      [name],
    );
    return rows[0]?.bytes ?? null;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "55P03") return null;
    throw error;
  } finally {
    await client.query("rollback");
  }
}
