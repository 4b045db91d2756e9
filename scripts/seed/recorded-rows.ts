import type { Client } from "pg";
import { hasKey } from "./captured-table.ts";

/** Set and name of a seed file. */
export interface SeedFileName {
  set: string;
  filename: string;
}

/** A table that holds recorded rows, as it is now. */
export interface RecordedTable {
  relation: string;
  /** Qualified and quoted. */
  name: string;
  columns: string[];
  key: { name: string; type: string }[];
}

/** Returns true if the database has the record of rows. If not, no file has recorded its rows. */
export async function hasRowRecord(client: Client): Promise<boolean> {
  const { rows } = await client.query("select from pg_class where oid = to_regclass('pgroundwork.seed_row')");
  return rows.length > 0;
}

/** Returns the files whose rows are not recorded: they were seeded by other means, or by a kit that recorded none. */
export async function filesWithoutRecord(client: Client, files: readonly SeedFileName[]): Promise<SeedFileName[]> {
  const { rows } = await client.query<SeedFileName>(
    `select * from unnest($1::text[], $2::text[]) as asked ("set", filename)
      where not exists (select from pgroundwork.seed_capture c where c.seed_set = asked."set" and c.filename = asked.filename)`,
    [files.map(({ set }) => set), files.map(({ filename }) => filename)],
  );
  return rows;
}

/** Returns the tables in which the files' new rows could not be told from changed ones. */
export async function unknownTables(client: Client, files: readonly SeedFileName[]): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select distinct unnest(c.unknown_tables) as name
       from unnest($1::text[], $2::text[]) as asked ("set", filename)
       join pgroundwork.seed_capture c on c.seed_set = asked."set" and c.filename = asked.filename order by 1`,
    [files.map(({ set }) => set), files.map(({ filename }) => filename)],
  );
  return rows.map(({ name }) => name);
}

/**
 * Finds the recorded rows of the files that still exist. It creates a temporary table `seeded` for this transaction,
 * with one row for each: relation, leaf and row (its location), file, and changed (true if it differs from its record).
 * Columns that were added or dropped since do not count as a change.
 *
 * @returns the tables that have recorded rows
 */
export async function locateRows(client: Client, files: readonly SeedFileName[]): Promise<RecordedTable[]> {
  await client.query(`drop table if exists pg_temp.seeded;
    create temporary table seeded (relation oid, leaf oid, "row" tid, seed_set text, filename text, key jsonb, changed boolean) on commit drop`);
  const tables = await recordedTables(client, files);
  for (const table of tables) {
    await client.query(
      `insert into pg_temp.seeded
       with recorded as (
         select s.* from pgroundwork.seed_row s
           join unnest($2::text[], $3::text[]) as asked ("set", filename) on s.seed_set = asked."set" and s.filename = asked.filename
          where s.relation = $1::oid
       )
       ${table.key.length > 0 ? byKey(table) : byContent(table)}`,
      [table.relation, files.map(({ set }) => set), files.map(({ filename }) => filename), table.columns],
    );
  }
  await client.query(`create index on pg_temp.seeded (leaf, "row"); analyze pg_temp.seeded`);
  return tables;
}

async function recordedTables(client: Client, files: readonly SeedFileName[]): Promise<RecordedTable[]> {
  const { rows } = await client.query<RecordedTable>(
    `select c.oid::text as relation, c.oid::regclass::text as name,
            array(select attname::text from pg_attribute where attrelid = c.oid and attnum > 0 and not attisdropped) as columns,
            coalesce((select jsonb_agg(jsonb_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod)) order by k.position)
                        from pg_index i, unnest(i.indkey::int2[]) with ordinality k (attnum, position), pg_attribute a
                       where i.indrelid = c.oid and i.indisprimary and a.attrelid = c.oid and a.attnum = k.attnum), '[]') as key
       from pg_class c
      where c.oid in (select s.relation from pgroundwork.seed_row s
                        join unnest($1::text[], $2::text[]) as asked ("set", filename) on s.seed_set = asked."set" and s.filename = asked.filename)
      order by c.oid`,
    [files.map(({ set }) => set), files.map(({ filename }) => filename)],
  );
  return rows;
}

/** Returns SQL for the columns that a row's JSON and its record have in common, in canonical form. */
function common(json: string, other: string): string {
  return `(select jsonb_object_agg(e.key, e.value) from jsonb_each(${json}) e where ${other})`;
}

function byKey(table: RecordedTable): string {
  const now = common("to_jsonb(t)", "r.content ? e.key");
  const then = common("r.content", "e.key = any ($4::text[])");
  return `select $1::oid, t.tableoid, t.ctid, r.seed_set, r.filename, r.key, ${now} is distinct from ${then}
            from recorded r join ${table.name} t on ${hasKey("t", table, "r.key")}`;
}

/**
 * Returns SQL that matches rows by content. Equal rows cannot be told apart, so it matches as many of them as were
 * inserted.
 */
function byContent(table: RecordedTable): string {
  return `select $1::oid, t.leaf, t."row", r.seed_set, r.filename, null::jsonb, false
            from (select tableoid as leaf, ctid as "row", to_jsonb(t) as content, row_number() over (partition by to_jsonb(t) order by ctid) as number
                    from ${table.name} t) t
            join (select *, row_number() over (partition by content) as number from recorded where $4::text[] is not null) r
              on r.content = t.content and r.number = t.number`;
}
