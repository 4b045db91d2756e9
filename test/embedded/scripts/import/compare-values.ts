import Driver from "better-sqlite3";
import { expect } from "vitest";
import type { ImportCase } from "./import-cases.ts";

/*
 * Compares all values of a SQLite table with those of a PostgreSQL table. One side is text that a query of SQLite
 * computes, the other is text that a query of PostgreSQL computes; nothing of the import takes part.
 */

/** Text of a value with its type, by SQLite. Reals have more digits than a double. */
const ofSqlite = (name: string) => `case typeof(${name}) when 'null' then 'null' when 'integer' then 'i:' || ${name}
  when 'text' then 't:' || hex(${name}) when 'blob' then 'b:' || hex(${name})
  when 'real' then 'r:' || case when ${name} = 9e999 then 'Infinity' when ${name} = -9e999 then '-Infinity' else printf('%!.26g', ${name}) end end`;
/** Microseconds since 1970 of a time, by SQLite, from text in ISO 8601 or from a number of seconds or milliseconds. */
const momentOfSqlite = (name: string) => `case when ${name} is null then 'null'
  when typeof(${name}) = 'integer' and ${name} > 100000000000 then 'm:' || (${name} * 1000)
  when typeof(${name}) = 'integer' then 'm:' || (${name} * 1000000)
  when ${name} like '__/__/____' then 'm:' || (strftime('%s', substr(${name}, 7) || '-' || substr(${name}, 4, 2) || '-' || substr(${name}, 1, 2)) * 1000000)
  else 'm:' || (strftime('%s', ${name}) * 1000000 + cast(substr(case when instr(${name}, '.') then substr(${name}, instr(${name}, '.') + 1) else '' end || '000000', 1, 6) as integer)) end`;

const hexOf = (text: string) => `upper(encode(convert_to(${text}, 'UTF8'), 'hex'))`;
/** Text of a value by PostgreSQL, by the type of the column. */
const ofPostgres: Readonly<Record<string, (name: string) => string>> = {
  bigint: (name) => `'i:' || ${name}`,
  numeric: (name) => `'n:' || ${name}`,
  boolean: (name) => `'i:' || ${name}::int`,
  text: (name) => `'t:' || ${hexOf(name)}`,
  "character varying": (name) => `'t:' || ${hexOf(name)}`,
  json: (name) => `'t:' || ${hexOf(`${name}::text`)}`,
  uuid: (name) => `'t:' || ${hexOf(`${name}::text`)}`,
  date: (name) => `'t:' || ${hexOf(`to_char(${name}, 'YYYY-MM-DD')`)}`,
  "time without time zone": (name) => `'t:' || ${hexOf(`to_char(${name}, 'HH24:MI:SS')`)}`,
  "timestamp with time zone": (name) => `'m:' || (extract(epoch from ${name}) * 1000000)::bigint`,
  "timestamp without time zone": (name) => `'m:' || (extract(epoch from ${name}) * 1000000)::bigint`,
  bytea: (name) => `'b:' || upper(encode(${name}, 'hex'))`,
  "double precision": (name) => `'r:' || ${name}`,
  jsonb: (name) => `case jsonb_typeof(${name}) when 'string' then 't:' || ${hexOf(`${name} #>> '{}'`)}
    when 'number' then case when ${name}::text like '%.%' then 'r:' else 'i:' end || ${name}::text
    else coalesce('b:' || upper(encode(decode(${name} -> '$binary' ->> 'base64', 'base64'), 'hex')), 'r:' || (${name} ->> '$numberDouble')) end`,
};

const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;

/** A table, and its columns in SQLite and in PostgreSQL. */
export interface ComparedTable {
  from: string;
  to: string;
  /** Names in PostgreSQL by names in SQLite. */
  columns: Record<string, string>;
}

/** Expects that both tables have the same rows with the same values. Returns how many values were compared. */
export async function expectEqualValues(
  file: string,
  { rows }: ImportCase,
  { from, to, columns }: ComparedTable,
): Promise<number> {
  const types = new Map(
    (
      await rows<{ name: string; type: string }>(
        `select column_name as name, data_type as type from information_schema.columns where table_schema = 'public' and table_name = '${to.replaceAll("'", "''")}'`,
      )
    ).map(({ name, type }) => [name, type]),
  );
  expect([...types.keys()].sort(), to).toEqual(Object.values(columns).sort());
  const pairs = Object.entries(columns).map(([source, target]) => {
    const type = types.get(target) ?? "";
    const own = source === "rowid" ? source : quoted(source);
    return {
      isNumeric: type === "numeric",
      sqlite: type.startsWith("timestamp") ? momentOfSqlite(own) : ofSqlite(own),
      postgres: `coalesce(${ofPostgres[type]?.(quoted(target)) ?? `unknown type ${type}`}, 'null')`,
    };
  });
  const database = new Driver(file, { readonly: true });
  const ours = database
    .prepare(`select ${pairs.map(({ sqlite }) => sqlite).join(", ")} from ${quoted(from)}`)
    .raw(true)
    .all() as string[][];
  database.close();
  const theirs = await rows<{ values: string[] }>(
    `select array[${pairs.map(({ postgres }) => postgres).join(", ")}] as values from ${quoted(to)}`,
  );
  const comparable = (list: string[][]) =>
    list.map((row) => row.map((text, index) => canonical(text, pairs[index]?.isNumeric ?? false)).join(" | ")).sort();
  expect(comparable(theirs.map(({ values }) => values)), to).toEqual(comparable(ours));
  return ours.length * pairs.length;
}

/**
 * Reals are compared as doubles, whatever digits they were printed with. A numeric does not say if it was an integer,
 * so its numbers are compared as decimals.
 */
function canonical(text: string, isNumeric: boolean): string {
  const value = text.slice(2);
  if (!/^[rni]:/.test(text)) return text;
  if (!isNumeric) return text.startsWith("r:") ? `real ${Number(value)}` : text;
  if (text.startsWith("r:"))
    return Number.isInteger(Number(value)) ? String(BigInt(Number(value))) : String(Number(value));
  return /^-?\d+(\.0+)?$/.test(value) ? value.replace(/\.0+$/, "") : String(Number(value));
}
