import type { Client } from "pg";

/** The index that a statement builds concurrently. */
export interface ConcurrentIndex {
  /** undefined: wherever the search path leads. */
  schema: string | undefined;
  table: string;
  /** undefined: the server makes up a name. */
  name: string | undefined;
}

/** How an index of a name stands in the catalog. */
export type IndexState = "absent" | "invalid" | "valid";

/** What libpg-query says of CREATE INDEX, as far as it is needed. */
interface IndexStatement {
  idxname?: string;
  concurrent?: boolean;
  relation?: { schemaname?: string; relname: string };
}

/**
 * The index that a statement builds with CREATE INDEX CONCURRENTLY, by the server's own parser; undefined for every other statement, and for one that
 * cannot be parsed, which the server will say by itself.
 */
export async function concurrentIndexOf(statement: string): Promise<ConcurrentIndex | undefined> {
  // The parser is WebAssembly: nothing else than such a statement is worth loading it.
  if (!/\bconcurrently\b/i.test(statement)) return undefined;
  const { parse } = await import("libpg-query");
  const parsed = await parse(statement).catch(() => undefined);
  const node = parsed?.stmts?.[0]?.stmt as { IndexStmt?: IndexStatement } | undefined;
  const index = node?.IndexStmt;
  if (index?.concurrent !== true || index.relation === undefined) return undefined;
  return { schema: index.relation.schemaname, table: index.relation.relname, name: index.idxname };
}

/** Looks an index up on its table: of that name there may be others elsewhere. */
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

/**
 * Drops what a build left that was killed or failed: such an index slows every write, answers no query, and hides from `IF NOT EXISTS` that the
 * real one is missing. Only an invalid one is dropped.
 *
 * @returns whether there was one
 */
export async function dropInvalidIndex(client: Client, index: ConcurrentIndex): Promise<boolean> {
  if (index.name === undefined || (await indexState(client, index)) !== "invalid") return false;
  const { rows } = await client.query<{ schema: string }>(
    `select nspname as schema from pg_class join pg_namespace n on n.oid = relnamespace
      where pg_class.oid = to_regclass($1)`,
    [qualified(client, index.schema, index.table)],
  );
  await client.query(`drop index concurrently if exists ${qualified(client, rows[0]?.schema, index.name)}`);
  return true;
}

function qualified(client: Client, schema: string | undefined, name: string): string {
  const id = client.escapeIdentifier(name);
  return schema === undefined ? id : `${client.escapeIdentifier(schema)}.${id}`;
}
