import type { Client } from "pg";

/** Condition on pg_class: a table in schema public, not a partition of one. */
export const isTable = "relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition";

/** SQL condition: the object belongs to a migration, not to an extension. */
export function isOwn(catalog: "pg_class" | "pg_proc"): string {
  const schema = catalog === "pg_class" ? "relnamespace" : "pronamespace";
  return `${schema} = 'public'::regnamespace and not exists (
    select from pg_depend where classid = '${catalog}'::regclass and objid = ${catalog}.oid and deptype = 'e')`;
}

/** Returns the column `name` of a query's result, sorted. */
export async function names(client: Client, sql: string): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(sql);
  return rows.map(({ name }) => name).sort();
}

/** Lists the tables of schema public, without partitions. */
export function tables(client: Client): Promise<string[]> {
  return names(client, `select relname as name from pg_class where ${isTable}`);
}

/** Lists the check and exclusion constraints of these tables. */
export function checkAndExclusionConstraints(client: Client): Promise<string[]> {
  return names(
    client,
    `select conname as name from pg_constraint join pg_class on pg_class.oid = conrelid where ${isTable} and contype in ('c', 'x')`,
  );
}

/** A unique index, with or without a constraint. */
export interface UniqueKey {
  name: string;
  /** Its key columns, and the columns in its expressions and predicate. */
  columns: string[];
  /** Names that an error can contain: its own and those of its indexes on partitions. */
  names: string[];
}

/** Lists the primary key and the unique indexes of a table. Leaves out those that contain the whole primary key. */
export async function uniqueKeys(client: Client, table: string): Promise<UniqueKey[]> {
  const { rows } = await client.query<UniqueKey>(
    `select index.relname as name,
       array(
         select attname::text from pg_attribute
         where attrelid = indrelid and (
           attnum = any ((indkey::int2[])[0:indnkeyatts - 1])
           or attnum in (
             select refobjsubid from pg_depend
             where classid = 'pg_class'::regclass and objid = indexrelid and refclassid = 'pg_class'::regclass
               and refobjid = indrelid and refobjsubid > 0)
             and (indexprs is not null or indpred is not null))
       ) as columns,
       array(select relname::text from pg_partition_tree(index.oid) as part join pg_class on pg_class.oid = part.relid)
         || index.relname::text as names
     from pg_index join pg_class as index on index.oid = indexrelid
     where indrelid = $1::regclass and indisunique
       -- A key that holds the primary key is there to be referred to; the primary key answers first.
       and not exists (
         select from pg_index as narrower
         where narrower.indrelid = pg_index.indrelid and narrower.indisprimary and narrower.indexrelid <> pg_index.indexrelid
           and narrower.indkey::int2[] <@ pg_index.indkey::int2[])
     order by 1`,
    [table],
  );
  return rows;
}

/** A foreign key with the first of its columns. */
export interface ForeignKey {
  name: string;
  /** The first of its columns. */
  column: string;
  type: string;
}

/** Lists the foreign keys of a table. */
export async function foreignKeys(client: Client, table: string): Promise<ForeignKey[]> {
  const { rows } = await client.query<ForeignKey>(
    `select conname as name, attname as column, format_type(atttypid, null) as type
     from pg_constraint join pg_attribute on attrelid = conrelid and attnum = conkey[1]
     where conrelid = $1::regclass and contype = 'f' order by conname`,
    [table],
  );
  return rows;
}
