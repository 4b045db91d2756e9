import type { Client } from "pg";
import { OperationError } from "../../core/operation-error.ts";
import { tableAccess } from "../../ledger/kit-schema.ts";
import type { DatabaseContent, TableRows } from "./metadata.ts";

/** Number of tables whose rows are read in one statement. */
const batchSize = 50;

/**
 * Tables that hold rows themselves: partitions instead of partitioned tables. pg_dump decides about the rows of tables
 * that belong to an extension, so they are left out. Materialized views are refreshed when a dump is loaded.
 */
export const tablesQuery = `select format('%I.%I', n.nspname, c.relname) as table
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where c.relkind = 'r' and c.relpersistence <> 't' and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
     and not exists (select from pg_depend d
                      where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
   order by 1`;

/**
 * Begins a transaction that reads one snapshot, for the same text of the same rows in every session. Row security must
 * not hide rows: that is an error.
 */
export const beginSnapshot = `begin isolation level repeatable read, read only;
  set local search_path to pg_catalog; set local row_security to off; set local lock_timeout to '60s'`;

/** Options of {@link readContent}. */
export interface ReadOptions {
  /** `schema`: the rows are not read, and a copy must have none. */
  scope: "full" | "schema";
  signal: AbortSignal;
}

/** Locks a database's tables against changes of their definition until the transaction ends, and returns them. */
export async function lockTables(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ table: string }>(tablesQuery);
  const tables = rows.map(({ table }) => table);
  for (let at = 0; at < tables.length; at += batchSize)
    await client.query(
      `lock table ${tables
        .slice(at, at + batchSize)
        .map((table) => `only ${table}`)
        .join(", ")} in access share mode`,
    );
  return tables;
}

/**
 * Reads the contents of a database. Call it in a transaction of {@link beginSnapshot}.
 *
 * @param tables from {@link lockTables}
 * @throws OperationError if the role cannot see all rows
 */
export async function readContent(
  client: Client,
  tables: readonly string[],
  { scope, signal }: ReadOptions,
): Promise<DatabaseContent> {
  const properties = await readProperties(client);
  const found: TableRows[] = [];
  if (scope === "schema") found.push(...tables.map((table) => ({ table, rows: 0, checksum: "0" })));
  for (let at = 0; scope === "full" && at < tables.length; at += batchSize) {
    signal.throwIfAborted();
    found.push(...(await readRows(client, tables.slice(at, at + batchSize))));
  }
  return { ...properties, tables: found };
}

/**
 * Returns the columns and the source of a query that counts a table's rows and computes their checksum.
 *
 * @param table name as SQL
 */
export function countRows(table: string): string {
  return `count(*)::text as rows, coalesce(sum(hashtextextended(t::text, 0)), 0)::text as checksum from only ${table} t`;
}

async function readRows(client: Client, tables: readonly string[]): Promise<TableRows[]> {
  const queries = tables.map((table) => `select ${client.escapeLiteral(table)} as table, ${countRows(table)}`);
  try {
    const { rows } = await client.query<{ table: string; rows: string; checksum: string }>(
      queries.join("\nunion all\n"),
    );
    return rows.map((row) => ({ ...row, rows: Number(row.rows) }));
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    if (code !== "42501") throw error;
    throw new OperationError(`This role cannot read every row: ${message}.`, {
      hint: "Use the owner of all tables, or a superuser. A dump never leaves rows out.",
      cause: error,
    });
  }
}

/** Properties of the database that a session is connected to: {@link DatabaseContent} without migrations and tables. */
export const propertiesQuery = `select pg_encoding_to_char(encoding) as encoding,
        coalesce(to_jsonb(d) ->> 'datlocprovider', 'c') as provider, datcollate as collate, datctype as ctype,
        coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale') as locale,
        coalesce((select json_agg(json_build_object('name', extname, 'version', extversion) order by extname)
                    from pg_extension where extname <> 'plpgsql'), '[]') as extensions,
        (select coalesce(json_agg(name order by name), '[]') from (
           select pg_get_userbyid(d.datdba) as name union
           select pg_get_userbyid(refobjid) from pg_shdepend
            where refclassid = 'pg_authid'::regclass and dbid = d.oid) role
          where name not in (pg_get_userbyid(10)) and name !~ '^pg_') as roles,
        pg_get_userbyid(d.datdba) as owner, pg_get_userbyid(10) as "bootstrapSuperuser",
        (select count(*) from pg_largeobject_metadata) as "largeObjects"
   from pg_database d where datname = current_database()`;

async function readProperties(client: Client): Promise<Omit<DatabaseContent, "tables">> {
  const { rows } = await client.query<Omit<DatabaseContent, "tables" | "migrations"> & { largeObjects: string }>(
    propertiesQuery,
  );
  const [found] = rows;
  if (found === undefined) throw new Error("the server did not describe its database");
  return { ...found, largeObjects: Number(found.largeObjects), migrations: await readMigrations(client) };
}

/** Names of the applied files, oldest first, in a database that has such records. */
export const migrationsQuery = "select filename from graphile_migrate.migrations order by filename";

/** Returns the names of the applied files, oldest first. null if the database has no such records for this role. */
export async function readMigrations(client: Client): Promise<string[] | null> {
  if ((await tableAccess(client, "graphile_migrate", "migrations")) !== "readable") return null;
  const { rows } = await client.query<{ filename: string }>(migrationsQuery);
  return rows.map(({ filename }) => filename);
}

/** Options of {@link compareContent}. */
export interface Comparison {
  scope: "full" | "schema";
  /** True if the checksums were computed by servers of the same major version. */
  sameMajor: boolean;
}

/** Compares the contents of a loaded copy with those recorded when the dump was made. Returns the differences. */
export function compareContent(
  expected: DatabaseContent,
  found: DatabaseContent,
  { scope, sameMajor }: Comparison,
): string[] {
  const differences: string[] = [];
  const rowsOf = new Map(found.tables.map((each) => [each.table, each]));
  for (const { table, rows, checksum } of expected.tables) {
    const loaded = rowsOf.get(table);
    rowsOf.delete(table);
    if (loaded === undefined) differences.push(`the table ${table} is missing`);
    else if (loaded.rows !== rows) differences.push(`the table ${table} has ${loaded.rows} rows instead of ${rows}`);
    else if (sameMajor && loaded.checksum !== checksum)
      differences.push(`the rows of the table ${table} differ from those that were dumped`);
  }
  for (const table of rowsOf.keys()) differences.push(`the table ${table} was not in the dumped database`);
  // The records of migrations are rows, too.
  if (scope === "schema") return differences;
  if (found.largeObjects !== expected.largeObjects)
    differences.push(`there are ${found.largeObjects} large objects instead of ${expected.largeObjects}`);
  const migrations = (list: readonly string[] | null) => (list === null ? "none" : list.join(", "));
  if (migrations(found.migrations) !== migrations(expected.migrations))
    differences.push(
      `the applied migrations are ${migrations(found.migrations)} instead of ${migrations(expected.migrations)}`,
    );
  return differences;
}
