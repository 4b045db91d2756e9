import type { Client } from "pg";

/** The index that a statement builds concurrently. */
export interface ConcurrentIndex {
  /** undefined: resolved by the search path. */
  schema: string | undefined;
  table: string;
  /** undefined: the server generates a name. */
  name: string | undefined;
  shape: IndexShape;
}

/** Facts that identify an index without a name, together with its table. */
export interface IndexShape {
  /** Access method: `btree`. */
  method: string;
  unique: boolean;
  /** True if it has a WHERE clause. */
  partial: boolean;
  /** Names of the key columns; empty text for an expression. */
  keys: string[];
  /** Names of the columns in INCLUDE. */
  included: string[];
}

/** State of an index in the catalog. */
export type IndexState = "absent" | "invalid" | "valid";

/** The part of libpg-query's CREATE INDEX node that is used here. */
interface IndexStatement {
  idxname?: string;
  concurrent?: boolean;
  relation?: { schemaname?: string; relname: string };
  accessMethod?: string;
  unique?: boolean;
  whereClause?: object;
  indexParams?: IndexColumn[];
  indexIncludingParams?: IndexColumn[];
}

interface IndexColumn {
  IndexElem?: { name?: string };
}

/**
 * Returns the index that a statement builds with CREATE INDEX CONCURRENTLY, found with the server's own parser. Returns
 * undefined for every other statement, and for one that cannot be parsed: the server reports that error itself.
 */
export async function concurrentIndexOf(statement: string): Promise<ConcurrentIndex | undefined> {
  // The parser is WebAssembly. Loading it is worth it only for such a statement.
  if (!/\bconcurrently\b/i.test(statement)) return undefined;
  const { parse } = await import("libpg-query");
  const parsed = await parse(statement).catch(() => undefined);
  const node = parsed?.stmts?.[0]?.stmt as { IndexStmt?: IndexStatement } | undefined;
  const index = node?.IndexStmt;
  if (index?.concurrent !== true || index.relation === undefined) return undefined;
  const { relation, idxname: name } = index;
  return { schema: relation.schemaname, table: relation.relname, name, shape: shapeOf(index) };
}

function shapeOf({ accessMethod, unique, whereClause, indexParams, indexIncludingParams }: IndexStatement): IndexShape {
  const names = (columns: IndexColumn[] = []) => columns.map(({ IndexElem }) => IndexElem?.name ?? "");
  return {
    method: accessMethod ?? "btree",
    unique: unique === true,
    partial: whereClause !== undefined,
    keys: names(indexParams),
    included: names(indexIncludingParams),
  };
}

/** Returns the state of an index, looked up on its table: other schemas can have an index of the same name. */
export async function indexState(client: Client, { schema, table, name }: ConcurrentIndex): Promise<IndexState> {
  if (name === undefined) return "absent";
  const { rows } = await client.query<{ valid: boolean }>(
    `select indisvalid and indisready as valid
       from pg_index join pg_class c on c.oid = indexrelid
      where c.relname = $1 and c.relkind = 'i' and indrelid = to_regclass($2)`,
    [name, qualified(client, schema, table)],
  );
  if (rows[0] === undefined) return "absent";
  return rows[0].valid ? "valid" : "invalid";
}

/** Name and schema of an index. */
export interface IndexName {
  schema: string;
  name: string;
}

/**
 * Finds the invalid indexes that killed or failed builds of an index left. Such an index slows every write, serves no
 * query, and makes `IF NOT EXISTS` succeed although the real index is missing.
 *
 * An index without a name is found by its shape, and by the pattern of the names that the server generates: `t_a_idx`,
 * `t_a_idx1`. An index that a session builds now is left out, also if this role may not see what a session builds.
 */
export async function invalidBuilds(client: Client, index: ConcurrentIndex): Promise<IndexName[]> {
  const { schema, table, name, shape } = index;
  const { rows } = await client.query<IndexName>(
    `select nspname as schema, c.relname as name
       from pg_index join pg_class c on c.oid = indexrelid join pg_namespace n on n.oid = c.relnamespace
       join pg_am on pg_am.oid = c.relam
      where indrelid = to_regclass($1) and c.relkind = 'i' and not (indisvalid and indisready)
        and case when $2::text is not null then c.relname = $2
            else c.relname ~ '_idx[0-9]*$' and amname = $3 and indisunique = $4 and (indpred is not null) = $5
              and indnkeyatts = $6
              and array(select coalesce(attname::text, '')
                          from unnest(indkey::int2[]) with ordinality as key (number, place)
                          left join pg_attribute on attrelid = indrelid and attnum = number and number > 0
                         order by place) = $7::text[]
              and not exists (select from pg_stat_progress_create_index
                               where datname = current_database() and (index_relid = c.oid or relid is null)) end
      order by 1, 2`,
    [
      qualified(client, schema, table),
      ...[name ?? null, shape.method, shape.unique, shape.partial],
      ...[shape.keys.length, [...shape.keys, ...shape.included]],
    ],
  );
  return rows;
}

/** Drops an index. Waits for the same transactions as its build. */
export async function dropIndex(client: Client, { schema, name }: IndexName): Promise<void> {
  await client.query(`drop index concurrently if exists ${qualified(client, schema, name)}`);
}

function qualified(client: Client, schema: string | undefined, name: string): string {
  const id = client.escapeIdentifier(name);
  return schema === undefined ? id : `${client.escapeIdentifier(schema)}.${id}`;
}
