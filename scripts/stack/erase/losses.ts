import pg, { type Client } from "pg";
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
  /** Number of rows in the tables whose rows are known: counted in small tables, estimated in large ones. */
  rows: number;
  /** Number of tables whose rows are not known, because they are large or locked and have no statistics. */
  unknownTables: number;
}

/** Largest size of a table whose rows are counted, in bytes. */
const largestCounted = 32 * 1024 ** 2;

/** Maximum time in which the small tables of one database are counted. The rest is estimated. */
const countTimeoutMs = 2_000;

/** Maximum time to wait for the lock of a table, which a migration may have. */
const lockTimeoutMs = 200;

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

interface TableStatistics {
  oid: number;
  name: string;
  /** Pages and rows that ANALYZE or VACUUM stored. `tuples` is negative if there was none. */
  pages: number;
  tuples: number;
  /** Running statistics: rows since the last reset of them. */
  live: number;
}

/** Counts tables and rows, without a change. */
async function contentOf(connection: Connection): Promise<DatabaseContent> {
  return withClient(connection, async (client) => {
    await client.query(`SET default_transaction_read_only = on; SET lock_timeout = ${lockTimeoutMs}`);
    const tables = await statisticsOf(client);
    const endsAt = performance.now() + countTimeoutMs;
    const content = { tables: tables.length, rows: 0, unknownTables: 0 };
    for (const table of tables) {
      const rows = await rowsIn(client, table, endsAt);
      if (rows === undefined) content.unknownTables += 1;
      else content.rows += rows;
    }
    return content;
  });
}

async function statisticsOf(client: Client): Promise<TableStatistics[]> {
  const { rows } = await client.query<Record<keyof TableStatistics, string>>(
    `SELECT c.oid, pg_catalog.format('%I.%I', n.nspname, c.relname) AS name,
            c.relpages AS pages, c.reltuples AS tuples, pg_catalog.pg_stat_get_live_tuples(c.oid) AS live
       FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
      ORDER BY c.relpages, name`,
  );
  return rows.map(({ oid, name, pages, tuples, live }) => ({
    ...{ oid: Number(oid), name },
    ...{ pages: Number(pages), tuples: Number(tuples), live: Number(live) },
  }));
}

/** Counts or estimates the rows of a table. undefined if they are not known. */
async function rowsIn(client: Client, table: TableStatistics, endsAt: number): Promise<number | undefined> {
  // Both wait for the lock of the table.
  const bytes = await askTable(client, endsAt, `SELECT pg_catalog.pg_relation_size(${table.oid}) AS answer`);
  if (bytes !== undefined && bytes > 0 && bytes <= largestCounted) {
    const counted = await askTable(client, endsAt, `SELECT count(*) AS answer FROM ONLY ${table.name}`);
    if (counted !== undefined) return counted;
  }
  return estimateRows(table, bytes);
}

/** Returns the answer of a query. undefined if the table is locked or gone, or the time is over. */
async function askTable(client: Client, endsAt: number, sql: string): Promise<number | undefined> {
  const leftMs = Math.floor(endsAt - performance.now());
  if (leftMs <= 0) return undefined;
  try {
    await client.query(`SET statement_timeout = ${leftMs}`);
    const { rows } = await client.query<{ answer: string | null }>(sql);
    const answer = rows[0]?.answer ?? undefined;
    return answer === undefined ? undefined : Number(answer);
  } catch (error) {
    // A lost connection is no property of the table.
    if (error instanceof pg.DatabaseError) return undefined;
    throw error;
  }
}

const pageBytes = 8_192;

/**
 * Estimates rows from statistics. ANALYZE stores one estimate, which is scaled to the present size, and the running
 * statistics count since then. A crash or a restore resets the running ones: 0 rows mean nothing if there are pages,
 * and less than one row in a page is likely only what was written since.
 *
 * @param bytes size of the table. undefined if it is not known.
 */
function estimateRows({ pages, tuples, live }: TableStatistics, bytes: number | undefined): number | undefined {
  if (bytes === 0) return 0;
  const scale = pages > 0 && bytes !== undefined ? bytes / pageBytes / pages : 1;
  const analyzed = Math.round(Math.max(tuples, 0) * scale);
  const fewestLive = bytes === undefined ? 1 : bytes / pageBytes;
  return analyzed === 0 && live < fewestLive ? undefined : Math.max(analyzed, live);
}
