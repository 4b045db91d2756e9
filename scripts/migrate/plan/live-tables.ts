import type { Client } from "pg";

/** A table as it stands in the live database. */
export interface LiveTable {
  /** About how many rows, as the server's statistics have it; null where nobody has counted yet. */
  rows: number | null;
  /** With indexes and what is stored beside it, in bytes; null where another session has the table locked. */
  bytes: number | null;
}

/**
 * Rows and size of tables, by name, partitions counted in. Names that the database does not have are left out.
 * @param names with their schema, quoted where they must be
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
 * The statistics of vacuum and analyze, else what was written since the server began to count; undefined: no such table. A partitioned table's own count is
 * that of its partitions once more.
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

/** Reading a size wants a lock that every session shares but one that changes the table: it is not waited for. */
async function bytesOf(client: Client, name: string): Promise<number | null> {
  await client.query("set lock_timeout = '1s'");
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
    await client.query("reset lock_timeout");
  }
}
