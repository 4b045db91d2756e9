import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Client } from "pg";
import { cloneRoot } from "../../clone-root.ts";
import { isTable } from "./catalog-queries.ts";

/*
 * Each database has a committed list of its keys, NOT NULL columns and indexes: keys-and-indexes.json in its folder.
 * schema.test.ts compares it with the catalog, so that a migration cannot lose one of them unnoticed.
 * constraints.test.ts breaks each listed key and NOT NULL.
 */

/** Keys, NOT NULL columns and indexes of a table or materialized view, as PostgreSQL prints them. */
export interface TableList {
  /** NOT NULL columns, separated by spaces, in alphabetical order. */
  notNull: string;
  /** Definitions of the primary key, the unique keys and the foreign keys, by name. */
  keys: Record<string, string>;
  /** Definitions of the indexes that belong to no key, by name: method, key columns, INCLUDE, WHERE. */
  indexes: Record<string, string>;
}

/** Lists of a database, by table. */
export type KeysAndIndexes = Record<string, TableList>;

/** Returns the path of a database's list. */
export function listPath(name: string): string {
  return join(cloneRoot, "test", "embedded", "migrations", name, "keys-and-indexes.json");
}

/** Reads a database's committed list. */
export async function readKeysAndIndexes(name: string): Promise<KeysAndIndexes> {
  return JSON.parse(await readFile(listPath(name), "utf8"));
}

/** Returns the content of a list's file. */
export function listText(list: KeysAndIndexes): string {
  return `${JSON.stringify(list, null, 2)}\n`;
}

/** Returns what to do if a list differs from the catalog. */
export function staleListAdvice(name: string): string {
  const command = `npx vitest run test/embedded/migrations/${name}/schema.test.ts --update`;
  return `The migrations of ${name} create other keys, NOT NULL columns or indexes than keys-and-indexes.json lists. If that is intended, run \`${command}\` and commit the file. Otherwise correct the migrations`;
}

/** Makes the list from the catalog. Partitions are left out: they have what their table has. */
export async function keysAndIndexesOf(client: Client): Promise<KeysAndIndexes> {
  const { rows } = await client.query<TableList & { name: string }>(`
    select relname as name,
      coalesce((
        select string_agg(attname, ' ' order by attname) from pg_attribute
        where attrelid = pg_class.oid and attnum > 0 and attnotnull and not attisdropped), '') as "notNull",
      coalesce((
        select json_object_agg(conname, pg_get_constraintdef(oid) order by conname) from pg_constraint
        where conrelid = pg_class.oid and contype in ('p', 'u', 'f')), '{}') as keys,
      coalesce((
        select json_object_agg(index.relname, concat(
          case when indisunique then 'unique ' end, substring(pg_get_indexdef(index.oid) from ' USING (.*)$'))
          order by index.relname)
        from pg_index join pg_class as index on index.oid = indexrelid
        where indrelid = pg_class.oid and not exists (
          select from pg_constraint where conindid = index.oid and contype in ('p', 'u', 'x'))), '{}') as indexes
    from pg_class
    where ${isTable} or (relnamespace = 'public'::regnamespace and relkind = 'm')
    order by relname`);
  return Object.fromEntries(rows.map(({ name, ...list }) => [name, list]));
}
