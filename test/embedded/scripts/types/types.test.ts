import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clientConfig } from "../../../../scripts/connection/connection.ts";
import { listDatabases } from "../../../../scripts/databases/database-file.ts";
import { generateTypes } from "../../../../scripts/types/generate.ts";
import { cloneRoot } from "../../../clone-root.ts";
import { runFile, upFiles } from "../../migrations/migrated-database.ts";
import { startServer, type TestServer } from "../../server.ts";
import { emitted, errorsOf } from "./compiled.ts";

const migrations = join(cloneRoot, "migrations");
/** The reference databases that have generated types. One that was removed is not missed. */
const databases = (await listDatabases(migrations)).filter((name) => existsSync(join(migrations, name, "types.ts")));

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

async function connected<T>(
  connection: Parameters<typeof clientConfig>[0],
  use: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client(clientConfig(connection));
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

/** Columns of each table in a generated file, with their types. */
function tablesIn(text: string): Map<string, Map<string, string>> {
  const interfaces = new Map<string, Map<string, string>>();
  for (const [, name = "", body = ""] of text.matchAll(/^export interface (\w+) \{\n(.*?)^\}/gms)) {
    const columns = body.replaceAll(/\/\*\*.*?\*\//gs, "").matchAll(/^ {2}(\w+): (.*);$/gm);
    interfaces.set(name, new Map(Array.from(columns, ([, column = "", type = ""]) => [column, type])));
  }
  const tables = interfaces.get("DB") ?? new Map<string, string>();
  return new Map(Array.from(tables, ([table, name]) => [table, interfaces.get(name) ?? new Map<string, string>()]));
}

/** Values that each kind of type can read, by the type's name or category. */
const samples: Readonly<Record<string, string>> = {
  ...{ uuid: "00000000-0000-0000-0000-000000000000", jsonb: "{}", json: "{}", bytea: "", tsvector: "", vector: "[1]" },
  ...{
    time: "12:00",
    timetz: "12:00+00",
    N: "1",
    S: "x",
    B: "true",
    D: "2026-01-01",
    T: "1s",
    A: "{}",
    I: "127.0.0.1",
    R: "empty",
  },
};

/**
 * Inserts a row with a value in each of the columns, and rolls back. Returns the column that must not be null or have a
 * value. A failed CHECK comes after these, so it does not matter.
 */
async function insertError(client: pg.Client, table: string, columns: readonly string[]): Promise<string | undefined> {
  const { rows } = await client.query<{ name: string; type: string; category: string }>(
    `select attname::text as name, typname::text as type, typcategory::text as category
     from pg_attribute join pg_type on pg_type.oid = atttypid where attrelid = $1::regclass and attname = any ($2)`,
    [table, columns],
  );
  const values = rows.map(({ type, category }) => samples[type] ?? samples[category]);
  const names = rows.map(({ name }) => pg.escapeIdentifier(name)).join(", ");
  const places = rows.map((_, index) => `$${index + 1}`).join(", ");
  await client.query("begin");
  try {
    const row = rows.length === 0 ? "default values" : `(${names}) values (${places})`;
    await client.query(`insert into ${table} ${row}`, values);
    return undefined;
  } catch (error) {
    const { code, column } = error as { code: string; column?: string };
    if (["23514", "23505", "23P01"].includes(code)) return undefined;
    return code === "23502" ? column : `${code} ${(error as Error).message}`;
  } finally {
    await client.query("rollback");
  }
}

describe("the types of the reference databases", () => {
  it.each(databases)("match %s, and require exactly the columns that an INSERT requires", async (name) => {
    await server.createDatabase(name);
    const text = await connected(server.as("migrator", name), async (migrator) => {
      for (const file of await upFiles(name)) await runFile(migrator, file);
      const first = await generateTypes(migrator);
      expect(await generateTypes(migrator)).toBe(first);
      return first;
    });
    expect(text).toBe(await readFile(join(migrations, name, "types.ts"), "utf8"));
    await connected(server.connection(name), async (superuser) => {
      // Without triggers and foreign keys, an INSERT fails only for a missing value or a failed check.
      await superuser.query("set session_replication_role = replica");
      // Defaults that read the request's context need one.
      for (const name of ["user_id", "session_id", "admin_user_id", "api_key_id", "request_id"])
        await superuser.query("select set_config($1, gen_random_uuid()::text, false)", [`app.${name}`]);
      const { rows } = await superuser.query<{ table: string; required: string[]; refused: string[] }>(`
        select relname as table,
          coalesce(array_agg(attname::text order by attname) filter (where attnotnull and not atthasdef and attidentity = ''), '{}') as required,
          coalesce(array_agg(attname::text order by attname) filter (where attgenerated <> '' or attidentity = 'a'), '{}') as refused
        from pg_class join pg_attribute on attrelid = pg_class.oid
        where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition and attnum > 0 and not attisdropped
        group by relname order by relname`);
      const tables = tablesIn(text);
      expect(rows.length).toBeGreaterThan(10);
      for (const { table, required, refused } of rows) {
        const columns = [...(tables.get(table) ?? [])];
        const named = (test: (type: string) => boolean) =>
          columns
            .filter(([, type]) => test(type))
            .map(([column]) => column)
            .sort();
        const optional = /^Generated<|^Computed<|\| null$/;
        expect({ table, columns: named((type) => !optional.test(type)) }).toEqual({ table, columns: required });
        expect({ table, columns: named((type) => type.startsWith("Computed<")) }).toEqual({
          table,
          columns: refused,
        });
        expect(await insertError(superuser, table, required), table).toBeUndefined();
        for (const missing of required) {
          const others = required.filter((column) => column !== missing);
          expect(await insertError(superuser, table, others), table).toBe(missing);
        }
      }
    });
  });
});

describe("pgw types", () => {
  const steps: [what: string, statement: string, expected: string | RegExp][] = [
    ["a table", "create table item (id bigint generated always as identity primary key)", "id: Computed<Int8>;"],
    ["a column", "alter table item add note text", "note: string | null;"],
    ["NOT NULL", "alter table item alter note set not null", "note: string;"],
    ["a default", "alter table item alter note set default ''", "note: Generated<string>;"],
    [
      "a CHECK with a list",
      "alter table item add constraint notes check (note in ('b', 'a'))",
      'note: Generated<"a" | "b">;',
    ],
    ["a second CHECK", "alter table item add check (note = 'a' and id > 0)", 'note: Generated<"a">;'],
    [
      "a CHECK that is gone",
      "alter table item drop constraint notes, drop constraint item_check",
      "note: Generated<string>;",
    ],
    ["a type", "alter table item add price numeric(12, 2) not null", "price: Numeric;"],
    ["another type", "alter table item alter price type int using 0", "price: number;"],
    ["an enum", "create type mood as enum ('sad', 'glad'); alter table item add mood mood", "mood: Mood | null;"],
    ["an enum's value", "alter type mood add value 'calm'", 'export type Mood = "calm" | "glad" | "sad";'],
    [
      "a generated column",
      "alter table item add twice int generated always as (price * 2) stored",
      "twice: Computed<number | null>;",
    ],
    ["a date", "alter table item add day date", "day: string | null;"],
    ["an array of numeric", "alter table item add prices numeric[]", "prices: ArrayType<Numeric> | null;"],
    [
      "a JSON object",
      "alter table item add data jsonb not null check (jsonb_typeof(data) = 'object')",
      "data: JsonObjectColumn;",
    ],
    ["a comment", "comment on column item.price is 'In cents.'", "* In cents."],
    ["a view", "create table part (id int primary key, item_id bigint not null, size int)", /part: Part;/],
    [
      "a view's columns that cannot be null",
      `create view parts as select part.id, item.note, item.price as item_price, coalesce(part.size, 0) as size, exists (select) as any,
         part.size as raw_size, count(*) over () as total from part left join item on item.id = part.item_id`,
      /export interface Parts \{\n {2}any: boolean;\n {2}id: number;\n {2}item_price: number \| null;\n {2}note: string \| null;\n {2}raw_size: number \| null;\n {2}size: number;\n {2}total: Int8;\n\}/,
    ],
    [
      "a view on a view",
      "create view again as select id, item_price from parts where id > 1",
      /Again \{\n {2}id: number;\n {2}item_price: number \| null;/,
    ],
    [
      "a view with subtotals",
      "create view totals as select id, count(*) as n from part group by rollup (id)",
      /Totals \{\n {2}id: number \| null;\n/,
    ],
    [
      "a CHECK of a domain",
      `create domain size as text check (value in ('s', 'm', 'l')); create domain small as size check (value <> 'l' and value in ('m', 's', 'xs'));
       alter table item add size size not null check (size <> 'x'), add small small`,
      /size: "l" \| "m" \| "s";\n {2}small: "m" \| "s" \| null;/,
    ],
    ["a table that is gone", "drop view again, parts, totals; drop table part", /^(?!.*part: Part)/s],
  ];

  it("sees each kind of change of a catalog", async () => {
    await server.createDatabase("changing");
    await connected(server.as("migrator", "changing"), async (client) => {
      let before = await generateTypes(client);
      for (const [what, statement, expected] of steps) {
        await client.query(statement);
        const after = await generateTypes(client);
        expect(after, what).not.toBe(before);
        expect(after, what).toMatch(expected);
        before = after;
      }
    });
  });

  it("writes a file that compiles, whatever the catalog's comments and names are", async () => {
    await server.createDatabase("hostile");
    const names = [
      "DB",
      "Date",
      "json",
      "Json",
      "generated",
      "numeric",
      "column_type",
      "constructor",
      "GeneratedTable",
    ];
    const text = await connected(server.as("migrator", "hostile"), async (client) => {
      await client.query(`
        create type computed as enum ('a', 'b');
        create table notes (id bigint generated always as identity primary key, price numeric not null, data json,
          at timestamptz not null default now(), kind computed not null, schedule text);
        comment on column notes.schedule is 'cron: */5 */ x: 1 } console.log("run"); interface Z { /*'`);
      for (const name of names)
        await client.query(
          `create table ${pg.escapeIdentifier(name)} (id int generated always as identity, own_${name.toLowerCase()} text)`,
        );
      return generateTypes(client);
    });
    const use = `
      type Is<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
      const all: Is<keyof DB, ${["notes", ...names].map((name) => JSON.stringify(name)).join(" | ")}> = true;
      const columns: Is<keyof Notes, "id" | "price" | "data" | "at" | "kind" | "schedule"> = true;
      const kind: Is<Notes["kind"], "a" | "b"> = true;
      ${names.map((name, n) => `const t${n}: Is<keyof DB[${JSON.stringify(name)}], "id" | "own_${name.toLowerCase()}"> = true;`).join("\n")}
      type Row = import("kysely").Selectable<Notes>;
      const row: Is<Row, { id: string; price: string; data: JsonValue; at: string; kind: "a" | "b"; schedule: string | null }> = true;
      void [all, columns, kind, row, ${names.map((_, n) => `t${n}`).join(", ")}];`;
    expect(errorsOf(`${text}\n${use}`)).toEqual([]);
    expect(emitted(text)).toBe("export {};");
  });
});
