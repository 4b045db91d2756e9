import type { Client } from "pg";
import { withClient } from "../../connection/client.ts";
import { type Connection, inDatabase } from "../../connection/connection.ts";

/** Data that is lost with a database. */
export interface DatabaseLoss {
  name: string;
  /** Distinguishes the database from a later one of the same name. */
  oid: number;
  /** Size on disk. */
  bytes: number;
  /** undefined if the database refuses connections. */
  content: DatabaseContent | undefined;
  /** Number of open sessions of all users. */
  sessions: number;
}

/** Tables and rows of a database. */
export interface DatabaseContent {
  /** Number of tables. Partitions count; partitioned tables do not. */
  tables: number;
  /** Number of rows, estimated from PostgreSQL's statistics. */
  rows: number;
}

/** Databases that belong to the server itself. */
const serversOwn = ["postgres", "template0", "template1"];

/** Lists the databases on a server, without the server's own. */
export async function databasesOn(admin: Connection): Promise<string[]> {
  return withClient(admin, async (client) => {
    const { rows } = await client.query<{ datname: string }>(
      "SELECT datname FROM pg_catalog.pg_database WHERE datname <> ALL ($1) ORDER BY datname",
      [serversOwn],
    );
    return rows.map(({ datname }) => datname);
  });
}

/** Measures those of the named databases that exist. */
export async function measureDatabases(admin: Connection, names: readonly string[]): Promise<DatabaseLoss[]> {
  const found = await withClient(admin, (client) => sizes(client, names));
  const losses: DatabaseLoss[] = [];
  for (const { name, oid, bytes, sessions, open } of found) {
    losses.push({ name, oid, bytes, sessions, content: open ? await contentOf(inDatabase(admin, name)) : undefined });
  }
  return losses;
}

async function sizes(client: Client, names: readonly string[]) {
  const { rows } = await client.query<{ name: string; oid: number; bytes: string; sessions: number; open: boolean }>(
    `SELECT datname AS name, oid, pg_catalog.pg_database_size(oid) AS bytes,
            -- -2: a DROP DATABASE was interrupted, and nothing but another one is possible.
            datallowconn AND datconnlimit <> -2 AS open,
            (SELECT count(*)::int FROM pg_catalog.pg_stat_activity a
              WHERE a.datid = d.oid AND a.backend_type = 'client backend' AND a.pid <> pg_catalog.pg_backend_pid()) AS sessions
       FROM pg_catalog.pg_database d WHERE datname = ANY ($1) ORDER BY datname`,
    [names],
  );
  return rows.map((row) => ({ ...row, bytes: Number(row.bytes) }));
}

/**
 * Counts tables and estimates rows. ANALYZE stores one estimate, and the running statistics count since then. The
 * larger one misses the fewest rows.
 */
async function contentOf(connection: Connection): Promise<DatabaseContent> {
  return withClient(connection, async (client) => {
    const { rows } = await client.query<{ tables: number; rows: string }>(
      `SELECT count(*)::int AS tables,
              coalesce(sum(greatest(c.reltuples, pg_catalog.pg_stat_get_live_tuples(c.oid), 0)), 0)::bigint AS rows
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'`,
    );
    return { tables: rows[0]?.tables ?? 0, rows: Number(rows[0]?.rows ?? 0) };
  });
}
