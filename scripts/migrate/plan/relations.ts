import type { Client } from "pg";

/** A relation that was there before the pending files. */
export interface Relation {
  oid: number;
  /** With its schema: `public.orders`, quoted where it must be. */
  name: string;
  kind: "table" | "index" | "other";
  /** Of an index, its table. */
  table: number | null;
  /** Whether its rows are its partitions'. */
  isPartitioned: boolean;
  /** Of a partition, the tables that it is one of, the whole first. */
  ancestors: number[];
}

/** What a statement can leave on a table without changing its definition. */
export interface TableState {
  /** Changes where the table is written anew. */
  fileNode: number | null;
  /** Sequential scans so far. */
  scans: number;
}

/** The relations of a database, by oid: the system's, graphile-migrate's and the kit's own left out. */
export async function readRelations(client: Client): Promise<Map<number, Relation>> {
  const { rows } = await client.query<Relation>(
    `select c.oid::int8::float8 as oid, format('%I.%I', nspname, relname) as name,
            case when relkind in ('r', 'p', 'm', 'f') then 'table' when relkind in ('i', 'I') then 'index' else 'other' end as kind,
            indrelid::int8::float8 as "table",
            relkind = 'p' as "isPartitioned",
            array(select relid::oid::int8::float8 from pg_partition_ancestors(c.oid) with ordinality as a (relid, distance)
                   where relid <> c.oid order by distance desc) as ancestors
       from pg_class c join pg_namespace n on n.oid = relnamespace left join pg_index on indexrelid = c.oid
      where nspname not in ('information_schema', 'graphile_migrate', 'pgroundwork') and nspname !~ '^pg_'`,
  );
  return new Map(rows.map((row) => [row.oid, row]));
}

/**
 * What the tables of a database look like to this session right now. A scan counts on an empty table as well, so that a scratch database shows what a full one
 * would do. What this session did counts at once; nobody else works in a scratch database.
 */
export async function readTableStates(client: Client): Promise<Map<number, TableState>> {
  const { rows } = await client.query<TableState & { oid: number }>(
    `select oid::int8::float8 as oid, pg_relation_filenode(oid)::int8::float8 as "fileNode",
            (pg_stat_get_numscans(oid) + pg_stat_get_xact_numscans(oid))::float8 as scans
       from pg_class where relkind in ('r', 'm') and relnamespace <> 'pg_catalog'::regnamespace`,
  );
  return new Map(rows.map((row) => [row.oid, row]));
}

/** Whether the server counts scans at all (`track_counts`). */
export async function countsScans(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ counts: boolean }>("select current_setting('track_counts')::bool as counts");
  return rows[0]?.counts ?? false;
}
