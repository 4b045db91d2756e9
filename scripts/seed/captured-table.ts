import pg, { type Client } from "pg";

/** A table that seeds wrote to, with what its rows are found by. */
export interface CapturedTable {
  /** The table itself, or the one that it is a partition of. */
  root: string;
  /** Where the rows lie. */
  leaf: string;
  /** Qualified and quoted. */
  rootName: string;
  leafName: string;
  /** Columns of the primary key with their types; none: the table has no key. */
  key: { name: string; type: string }[];
  /** Whether rows that were there before may have been changed. */
  updated: boolean;
}

/**
 * The tables that the running transaction may have written to: more where the server does not count, never fewer. The kit's own tables, graphile-migrate's and
 * temporary ones are left out.
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

/** SQL: a row's key as JSON; null without a primary key. */
export function keyOf(alias: string, { key }: Pick<CapturedTable, "key">): string {
  if (key.length === 0) return "null::jsonb";
  const parts = key.map(({ name }) => `${pg.escapeLiteral(name)}, ${alias}.${pg.escapeIdentifier(name)}`);
  return `jsonb_build_object(${parts.join(", ")})`;
}

/** SQL: whether a row has that key; by its columns, so that the primary key's index is used. */
export function hasKey(alias: string, { key }: Pick<CapturedTable, "key">, json: string): string {
  return key
    .map(({ name, type }) => `${alias}.${pg.escapeIdentifier(name)} = (${json} ->> ${pg.escapeLiteral(name)})::${type}`)
    .join(" and ");
}
