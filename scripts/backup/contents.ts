import type Docker from "dockerode";
import pg from "pg";
import { queryInContainer } from "../container/query.ts";

export interface TableContents {
  /** Schema and name, quoted as SQL wants them. */
  table: string;
  rows: number;
  /** Of all rows, in whatever order they lie: the same for the same rows. */
  checksum: string;
}

export interface DatabaseContents {
  database: string;
  /** Bytes. */
  size: number;
  tables: TableContents[];
}

/** How many tables one question is about: each question costs a session and a process of its own. */
const atOnce = 200;

/** Tables whose rows are their own: partitions and not what they are partitions of, materialized views included. */
const tablesQuery = `select format('%I.%I', n.nspname, c.relname) as table
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where c.relkind in ('r', 'm') and c.relpersistence = 'p'
     and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_(toast|temp)'
   order by 1`;

/**
 * Reads every row of every table of a server in a container. A page that is damaged ends it with the server's error.
 *
 * @throws SocketError with what the server said
 */
export async function readContents(
  docker: Docker,
  container: string,
  signal: AbortSignal,
): Promise<DatabaseContents[]> {
  const databases = await queryInContainer<{ database: string; size: number }>(
    docker,
    container,
    "select datname as database, pg_database_size(oid) as size from pg_database where datallowconn and not datistemplate order by 1",
  );
  const contents: DatabaseContents[] = [];
  for (const { database, size } of databases) {
    const names = await queryInContainer<{ table: string }>(docker, container, tablesQuery, database);
    const tables: TableContents[] = [];
    for (let at = 0; at < names.length; at += atOnce) {
      signal.throwIfAborted();
      const queries = names.slice(at, at + atOnce).map(({ table }) => contentsQuery(table));
      tables.push(
        ...(await queryInContainer<TableContents>(docker, container, queries.join("\nunion all\n"), database)),
      );
    }
    contents.push({ database, size, tables });
  }
  return contents;
}

/** @param table quoted */
function contentsQuery(table: string): string {
  const checksum = "coalesce(sum(hashtextextended(t::text, 0)), 0)::text";
  return `select ${pg.escapeLiteral(table)} as table, count(*) as rows, ${checksum} as checksum from only ${table} t`;
}
