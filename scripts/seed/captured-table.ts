import pg, { type Client } from "pg";

/** A table that seeds wrote to, and the columns that identify its rows. */
export interface CapturedTable {
  /** Oid of the table, or of the partitioned table that it belongs to. */
  root: string;
  /** Oid of the table or partition that stores the rows. */
  leaf: string;
  /** Qualified and quoted. */
  rootName: string;
  leafName: string;
  /** Columns of the primary key with their types; empty if the table has none. */
  key: { name: string; type: string }[];
  /** True if rows that existed before may have been changed. */
  updated: boolean;
}

/**
 * Returns the tables that the running transaction may have written to. There are more if the server does not count
 * rows, but never fewer. The kit's own tables, graphile-migrate's and temporary ones are left out.
 */
export async function writtenTables(client: Client): Promise<CapturedTable[]> {
  const { rows } = await client.query<CapturedTable>(
    `select root::oid::text as root, c.oid::text as leaf, root::text as "rootName", c.oid::regclass::text as "leafName",
            counted.none or pg_stat_get_xact_tuples_updated(c.oid) > 0 as updated,
            coalesce((select jsonb_agg(jsonb_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod)) order by k.position)
                        from pg_index i, unnest(i.indkey::int2[]) with ordinality k (attnum, position), pg_attribute a
                       where i.indrelid = root and i.indisprimary and a.attrelid = root and a.attnum = k.attnum), '[]') as key
       from pg_class c
       cross join lateral (select coalesce(pg_partition_root(c.oid), c.oid::regclass) as root) as r
       cross join (select not current_setting('track_counts')::boolean as none) as counted
      where c.relkind = 'r' and c.relpersistence <> 't'
        and c.relnamespace not in (select oid from pg_namespace
                                    where nspname in ('pg_catalog', 'information_schema', 'pgroundwork', 'graphile_migrate') or nspname ~ '^pg_(toast|temp)')
        and (counted.none or pg_stat_get_xact_tuples_inserted(c.oid) > 0 or pg_stat_get_xact_tuples_updated(c.oid) > 0)
      order by c.oid`,
  );
  return rows;
}

/** Returns SQL for a row's key as JSON; null without a primary key. */
export function keyOf(alias: string, { key }: Pick<CapturedTable, "key">): string {
  if (key.length === 0) return "null::jsonb";
  const parts = key.map(({ name }) => `${pg.escapeLiteral(name)}, ${alias}.${pg.escapeIdentifier(name)}`);
  return `jsonb_build_object(${parts.join(", ")})`;
}

/** Returns the SQL condition that a row has a key. It compares the columns, so that the primary key's index is used. */
export function hasKey(alias: string, { key }: Pick<CapturedTable, "key">, json: string): string {
  return key
    .map(({ name, type }) => `${alias}.${pg.escapeIdentifier(name)} = (${json} ->> ${pg.escapeLiteral(name)})::${type}`)
    .join(" and ");
}
