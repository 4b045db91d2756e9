import type { Client } from "pg";

/** The type of a column, as far as the import knows it. */
export interface TargetType {
  /** As PostgreSQL prints it: `numeric(20,6)`. */
  name: string;
  /** Type of staged values: the one under a domain, else the type itself. */
  stored: string;
  /** Name of the stored type in pg_type, such as `int4`. `other` if the server has to check the values. */
  base: string;
  /** Name of the element type in pg_type; undefined if it is no array. */
  element?: string;
  /** Length of varchar and char in characters. */
  length?: number;
  precision?: number;
  scale?: number;
}

/** A column of a table in the target. */
export interface TargetColumn {
  name: string;
  type: TargetType;
  notNull: boolean;
  hasDefault: boolean;
  /** True if the default is the same for all rows that are written in a moment: it is copied to the stage. */
  constantDefault: boolean;
  generated: boolean;
  identity: "" | "a" | "d";
  /** Sequence that belongs to it or that its default uses, qualified; null if there is none. */
  sequence: string | null;
}

/** A unique index. */
export interface UniqueIndex {
  name: string;
  /** SQL of its columns and expressions, on the names of the table's columns. */
  expressions: string[];
  /** Its plain columns; null if it has expressions. */
  columns: string[] | null;
  /** SQL of the condition of a partial index. */
  condition: string | null;
  nullsNotDistinct: boolean;
  isPrimary: boolean;
}

/** A foreign key. */
export interface ForeignKey {
  name: string;
  /** Table that has it, qualified and quoted. */
  table: string;
  columns: string[];
  /** Referenced table, qualified and quoted. */
  parent: string;
  parentColumns: string[];
  /** True for MATCH FULL. */
  full: boolean;
}

/** A table of the target. */
export interface TargetTable {
  /** Name, qualified and quoted: `public.users`. */
  name: string;
  /** SQL of its own rows in FROM: without those of tables that inherit from it. */
  rows: string;
  oid: string;
  columns: TargetColumn[];
  uniques: UniqueIndex[];
  checks: { name: string; expression: string }[];
  foreignKeys: ForeignKey[];
  /** Names of the triggers that inserts, updates and deletes fire, with what fires them. */
  triggers: string[];
  rowSecurity: boolean;
  /** True if this session may insert into the table. */
  insertable: boolean;
}

/** Reads tables of the target. A name that is no table is missing in the result. */
export async function readTargetTables(client: Client, names: readonly string[]): Promise<Map<string, TargetTable>> {
  const { rows: found } = await client.query<
    { given: string } & Omit<TargetTable, "columns" | "uniques" | "checks" | "foreignKeys">
  >(
    `select given, c.oid::text as oid, format('%I.%I', n.nspname, c.relname) as name,
            format(case when c.relkind = 'p' then '%I.%I' else 'only %I.%I' end, n.nspname, c.relname) as rows,
            c.relrowsecurity as "rowSecurity", has_table_privilege(c.oid, 'insert') as insertable,
            array(select format('%s (%s)', t.tgname, pg_get_triggerdef(t.oid)) from pg_trigger t
                   where t.tgrelid = c.oid and not t.tgisinternal and t.tgenabled <> 'D' order by t.tgname) as triggers
       from unnest($1::text[]) as given
       join pg_class c on c.oid = to_regclass(given)
       join pg_namespace n on n.oid = c.relnamespace
      where c.relkind in ('r', 'p')`,
    [[...new Set(names)]],
  );
  const tables = new Map<string, TargetTable>();
  for (const { given, ...table } of found) {
    const [columns, uniques, checks, foreignKeys] = [
      await readColumns(client, table.oid),
      await readUniques(client, table.oid),
      await readChecks(client, table.oid),
      await readForeignKeys(client, "conrelid", [table.oid]),
    ];
    tables.set(given, { ...table, columns, uniques, checks, foreignKeys });
  }
  return tables;
}

/** Types that the import checks and writes itself. The server checks values of all others. */
const known = new Set(
  "int2 int4 int8 numeric float4 float8 bool text varchar bpchar uuid date time timestamp timestamptz jsonb json bytea oid".split(
    " ",
  ),
);

/** Pattern of defaults that differ from row to row. A sequence must not advance for rows that are only staged. */
const changingDefault = "nextval|random|uuid";

async function readColumns(client: Client, oid: string): Promise<TargetColumn[]> {
  const { rows } = await client.query<
    Omit<TargetColumn, "type"> & { type: string; stored: string; base: string; element: string | null; typmod: number }
  >(
    `select a.attname as name, format_type(a.atttypid, a.atttypmod) as type, format_type(d.type, d.typmod) as stored,
            t.typname as base, d.typmod, e.typname as element, a.attnotnull or d.required as "notNull",
            (a.atthasdef or d.filled) and a.attgenerated = '' as "hasDefault",
            coalesce((select pg_get_expr(f.adbin, f.adrelid) !~* '${changingDefault}' from pg_attrdef f
                       where f.adrelid = a.attrelid and f.adnum = a.attnum and a.attgenerated = ''), false) as "constantDefault",
            a.attgenerated <> '' as generated, a.attidentity as identity,
            coalesce(pg_get_serial_sequence(a.attrelid::regclass::text, a.attname), (
              select format('%I.%I', n.nspname, s.relname)
                from pg_attrdef f
                join pg_depend p on p.classid = 'pg_attrdef'::regclass and p.objid = f.oid and p.refclassid = 'pg_class'::regclass
                join pg_class s on s.oid = p.refobjid and s.relkind = 'S' join pg_namespace n on n.oid = s.relnamespace
               where f.adrelid = a.attrelid and f.adnum = a.attnum limit 1)) as sequence
       from pg_attribute a
      cross join lateral (
        -- The type under a domain, and what its domains require.
        with recursive domain as (
          select a.atttypid as type, a.atttypmod as typmod, false as required, false as filled, 0 as depth
           union all
          select y.typbasetype, y.typtypmod, required or y.typnotnull, filled or y.typdefault is not null, depth + 1
            from domain join pg_type y on y.oid = domain.type where y.typtype = 'd')
        select * from domain order by depth desc limit 1) d
       join pg_type t on t.oid = d.type
       left join pg_type e on e.oid = t.typelem and t.typcategory = 'A'
      where a.attrelid = $1 and a.attnum > 0 and not a.attisdropped
      order by a.attnum`,
    [oid],
  );
  return rows.map(({ type, stored, base, element, typmod, ...column }) => ({
    ...column,
    type: { ...typeOf(stored, base, element, typmod), name: type, stored },
  }));
}

function typeOf(name: string, base: string, element: string | null, typmod: number): Omit<TargetType, "stored"> {
  // An array's base name is that of its element with an underscore.
  if (element !== null)
    return known.has(element) && !element.startsWith("float") && typmod === -1
      ? { name, base: "array", element }
      : { name, base: "other" };
  if (!known.has(base)) return { name, base: "other" };
  if (typmod === -1) return { name, base };
  if (base === "varchar" || base === "bpchar") return { name, base, length: typmod - 4 };
  if (base === "numeric")
    return { name, base, precision: ((typmod - 4) >> 16) & 0xffff, scale: (((typmod - 4) & 0x7ff) ^ 1024) - 1024 };
  // timestamp(3) would round.
  return { name, base: "other" };
}

async function readUniques(client: Client, oid: string): Promise<UniqueIndex[]> {
  const { rows } = await client.query<UniqueIndex>(
    `select c.relname as name, i.indisprimary as "isPrimary", coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false) as "nullsNotDistinct",
            array(select pg_get_indexdef(i.indexrelid, k, true) from generate_series(1, i.indnkeyatts) k order by k) as expressions,
            case when i.indexprs is null then array(
              select a.attname::text from unnest(i.indkey::int2[]) with ordinality as k (attnum, position)
                join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
               where k.position <= i.indnkeyatts order by k.position) end as columns,
            pg_get_expr(i.indpred, i.indrelid) as condition
       from pg_index i join pg_class c on c.oid = i.indexrelid
      where i.indrelid = $1 and i.indisunique
      order by i.indisprimary desc, c.relname`,
    [oid],
  );
  return rows;
}

async function readChecks(client: Client, oid: string): Promise<TargetTable["checks"]> {
  const { rows } = await client.query<{ name: string; expression: string }>(
    `select conname as name, pg_get_expr(conbin, conrelid) as expression
       from pg_constraint where conrelid = $1 and contype = 'c' order by conname`,
    [oid],
  );
  return rows;
}

/** Reads the foreign keys of tables (`conrelid`), or those that reference them (`confrelid`). */
export async function readForeignKeys(
  client: Client,
  side: "conrelid" | "confrelid",
  oids: readonly string[],
): Promise<ForeignKey[]> {
  const names = (relation: string, keys: string) => `array(
      select a.attname::text from unnest(o.${keys}) with ordinality as k (attnum, position)
        join pg_attribute a on a.attrelid = o.${relation} and a.attnum = k.attnum order by k.position)`;
  // A key that references partitions has one more constraint for each. A partition has those of its parent, too.
  const isOwn =
    side === "confrelid"
      ? "o.conparentid = 0"
      : "not exists (select from pg_constraint q where q.oid = o.conparentid and q.conrelid = o.conrelid)";
  const { rows } = await client.query<ForeignKey>(
    `select o.conname as name, format('%I.%I', cn.nspname, c.relname) as "table", ${names("conrelid", "conkey")} as columns,
            format('%I.%I', pn.nspname, p.relname) as parent, ${names("confrelid", "confkey")} as "parentColumns",
            o.confmatchtype = 'f' as "full"
       from pg_constraint o
       join pg_class c on c.oid = o.conrelid join pg_namespace cn on cn.oid = c.relnamespace
       join pg_class p on p.oid = o.confrelid join pg_namespace pn on pn.oid = p.relnamespace
      where o.contype = 'f' and o.${side} = any ($1::oid[]) and ${isOwn}
      order by 1`,
    [oids],
  );
  return rows;
}

/** Columns that staged rows have beside those of the target. */
export const ownColumns = ["$ordinal", "$action", "$digest", "$source_key", "$fingerprint", "$seen"] as const;

/** Quotes an identifier for SQL. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Quotes a text for SQL. */
export function literal(text: string): string {
  return `${text.includes("\\") ? " E" : ""}'${text.replaceAll("'", "''").replaceAll("\\", "\\\\")}'`;
}
