import type Docker from "dockerode";
import pg from "pg";
import { executeInContainer, queryInContainer, SocketError } from "../../docker/server/query.ts";

/** Number and checksum of a table's rows. */
export interface TableContents {
  /** Schema and name, quoted for SQL. */
  table: string;
  rows: number;
  /** Checksum of all rows, independent of their order. */
  checksum: string;
}

/** Contents of a database whose rows were all read. */
export interface DatabaseContents {
  database: string;
  /** Bytes. */
  size: number;
  tables: TableContents[];
}

/** A database in which some rows could not be read. */
export interface Unproven {
  database: string;
  reason: string;
}

/**
 * Unlogged tables and sequences of a database. No backup and no WAL has their contents, so every restore or crash
 * empties them.
 */
export interface UnloggedRelations {
  database: string;
  /** Schema and name, quoted for SQL. */
  tables: string[];
  /** Sequences that belong to no unlogged table. They start again. */
  sequences: string[];
}

/** Contents of all databases of a cluster. */
export interface ClusterContents {
  databases: DatabaseContents[];
  unproven: Unproven[];
  /** Only databases that have unlogged relations. */
  unlogged: UnloggedRelations[];
}

/** A server that nothing else uses, queried over its socket as superuser. */
export interface SocketServer {
  /**
   * Returns the rows of one statement.
   *
   * @throws SocketError with the server's error
   */
  query<Row>(sql: string, database?: string): Promise<Row[]>;
  /** Executes statements, by default in the database `postgres`. */
  execute(sql: string, database?: string): Promise<void>;
}

/** Returns the server in a container. */
export function containerServer(docker: Docker, container: string): SocketServer {
  return {
    query: (sql, database) => queryInContainer(docker, container, sql, database),
    execute: (sql, database) => executeInContainer(docker, container, sql, database),
  };
}

/** Number of tables per query. */
const batchSize = 200;

/** Description of a database, read in one query: each query needs a session and a process of its own. */
interface Described {
  size: number;
  /** Tables that a prepared transaction locks against readers. */
  locked: string[];
  /** Tables that hold rows themselves: partitions instead of partitioned tables, and populated materialized views. */
  tables: string[];
  unloggedTables: string[];
  /** Without those that belong to an unlogged table (serial, identity). Unless altered, they are unlogged like it. */
  unloggedSequences: string[];
}

const named = "format('%I.%I', n.nspname, c.relname)";
const relations = "pg_class c join pg_namespace n on n.oid = c.relnamespace";

const describeQuery = `select pg_database_size(current_database()) as size,
    array(select ${named} from pg_locks l, ${relations}
           where c.oid = l.relation and l.pid is null and l.mode = 'AccessExclusiveLock'
             and l.database = (select oid from pg_database where datname = current_database())
           order by 1) as locked,
    array(select ${named} from ${relations}
           where c.relkind in ('r', 'm') and c.relispopulated and c.relpersistence = 'p'
             and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_(toast|temp)'
           order by 1) as tables,
    array(select ${named} from ${relations} where c.relkind = 'r' and c.relpersistence = 'u' order by 1)
      as "unloggedTables",
    array(select ${named} from ${relations}
           where c.relkind = 'S' and c.relpersistence = 'u'
             and not exists (select from pg_depend d join pg_class t on t.oid = d.refobjid
                              where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass
                                and d.objid = c.oid and d.deptype in ('a', 'i') and t.relpersistence = 'u')
           order by 1) as "unloggedSequences"`;

/** Returns true if a DROP DATABASE has begun and not committed. */
export async function hasHalfDropped(server: SocketServer): Promise<boolean> {
  return (await server.query<Database>(databasesQuery)).some(({ isInvalid }) => isInvalid);
}

interface Database {
  database: string;
  isTemplate: boolean;
  accepts: boolean;
  isInvalid: boolean;
}

/** Lists all databases except template0, which is as initdb created it. A template of the user may hold rows, too. */
const databasesQuery = `select datname as database, datistemplate as "isTemplate", datallowconn as accepts, datconnlimit = -2 as "isInvalid"
    from pg_database where datname <> 'template0' order by 1`;

/**
 * Reads every row of every table of a server. A database that cannot be read is reported with the reason, and the other
 * ones are still read.
 */
export async function readContents(server: SocketServer, signal: AbortSignal): Promise<ClusterContents> {
  const contents: ClusterContents = { databases: [], unproven: [], unlogged: [] };
  for (const found of await server.query<Database>(databasesQuery)) {
    signal.throwIfAborted();
    try {
      const { unlogged, ...read } = await readDatabase(server, found, signal);
      if (!found.isTemplate || read.tables.length > 0) contents.databases.push(read);
      if (unlogged.tables.length + unlogged.sequences.length > 0) contents.unlogged.push(unlogged);
    } catch (error) {
      if (!(error instanceof SocketError)) throw error;
      contents.unproven.push({ database: found.database, reason: error.message });
    }
  }
  return contents;
}

interface ReadDatabase extends DatabaseContents {
  unlogged: UnloggedRelations;
}

async function readDatabase(
  server: SocketServer,
  { database, accepts, isInvalid }: Database,
  signal: AbortSignal,
): Promise<ReadDatabase> {
  if (isInvalid)
    throw new SocketError(
      "A DROP DATABASE of it had begun, which removes its files before it commits. If it should be there, restore to the last commit before that: --lsn with the position that is named as included. Otherwise, drop it again.",
    );
  if (accepts) return readTables(server, database, signal);
  const allow = (yes: boolean) =>
    server.execute(`alter database ${pg.escapeIdentifier(database)} allow_connections ${yes}`);
  await allow(true);
  try {
    return await readTables(server, database, signal);
  } finally {
    await allow(false);
  }
}

async function readTables(server: SocketServer, database: string, signal: AbortSignal): Promise<ReadDatabase> {
  const query = <Row>(sql: string) => server.query<Row>(sql, database);
  const [found] = await query<Described>(describeQuery);
  if (found === undefined) throw new SocketError(`The database ${database} could not be described.`);
  const { size, locked, unloggedTables, unloggedSequences: sequences } = found;
  if (locked.length > 0)
    throw new SocketError(
      `A prepared transaction locks ${locked.join(", ")}, so the rows cannot be read. ` +
        "pg_prepared_xacts of the restored server names it; end it there with COMMIT PREPARED or ROLLBACK PREPARED.",
    );
  const tables: TableContents[] = [];
  for (let at = 0; at < found.tables.length; at += batchSize) {
    signal.throwIfAborted();
    const queries = found.tables.slice(at, at + batchSize).map(contentsQuery);
    tables.push(...(await query<TableContents>(queries.join("\nunion all\n"))));
  }
  return { database, size, tables, unlogged: { database, tables: unloggedTables, sequences } };
}

/**
 * Builds the query that counts and checksums the rows of a table.
 *
 * @param table quoted
 */
function contentsQuery(table: string): string {
  const checksum = "coalesce(sum(hashtextextended(t::text, 0)), 0)::text";
  return `select ${pg.escapeLiteral(table)} as table, count(*) as rows, ${checksum} as checksum from only ${table} t`;
}
