import type { Client } from "pg";
import { monitoringSchema } from "../../connection/observer.ts";

/** A relation that existed before the pending files. */
export interface Relation {
  oid: number;
  /** Name with schema: `public.orders`, quoted if necessary. */
  name: string;
  kind: "table" | "index" | "other";
  /** Table of an index; null for everything else. */
  table: number | null;
  /** True for a partitioned table: its rows are in its partitions. */
  isPartitioned: boolean;
  /** Partitioned tables above a partition, topmost first. */
  ancestors: number[];
}

/** State of a table that a statement can change without changing the definition. */
export interface TableState {
  /** Changes if the table is rewritten. */
  fileNode: number | null;
  /** Sequential scans so far. */
  scans: number;
}

/** Returns the relations of a database by oid, without those of the system, of graphile-migrate and of the kit. */
export async function readRelations(client: Client): Promise<Map<number, Relation>> {
  const { rows } = await client.query<Relation>(
    `select c.oid::int8::float8 as oid, format('%I.%I', nspname, relname) as name,
            case when relkind in ('r', 'p', 'm', 'f') then 'table' when relkind in ('i', 'I') then 'index' else 'other' end as kind,
            indrelid::int8::float8 as "table",
            relkind = 'p' as "isPartitioned",
            array(select relid::oid::int8::float8 from pg_partition_ancestors(c.oid) with ordinality as a (relid, distance)
                   where relid <> c.oid order by distance desc) as ancestors
       from pg_class c join pg_namespace n on n.oid = relnamespace left join pg_index on indexrelid = c.oid
      where nspname not in ('information_schema', 'graphile_migrate', 'pgroundwork', '${monitoringSchema}') and nspname !~ '^pg_'`,
  );
  return new Map(rows.map((row) => [row.oid, row]));
}

/**
 * Returns the state of a database's tables as this session sees it now. An empty table counts scans too, so a scratch
 * cluster shows what would happen to a full one. This session's own scans count at once, and no one else works in a
 * scratch cluster.
 */
export async function readTableStates(client: Client): Promise<Map<number, TableState>> {
  const { rows } = await client.query<TableState & { oid: number }>(
    `select oid::int8::float8 as oid, pg_relation_filenode(oid)::int8::float8 as "fileNode",
            (pg_stat_get_numscans(oid) + pg_stat_get_xact_numscans(oid))::float8 as scans
       from pg_class where relkind in ('r', 'm') and relnamespace <> 'pg_catalog'::regnamespace`,
  );
  return new Map(rows.map((row) => [row.oid, row]));
}

/** Returns true if the server counts scans (`track_counts`). */
export async function countsScans(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ counts: boolean }>("select current_setting('track_counts')::bool as counts");
  return rows[0]?.counts ?? false;
}
