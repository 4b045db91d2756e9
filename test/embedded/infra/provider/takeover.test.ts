import type { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Properties } from "../../../../infra/plugin/values.ts";
import { takeover } from "../../../../infra/provider/takeover.ts";
import { withClient } from "../../../../scripts/target/client.ts";
import { contextOf } from "../../../unit/infra/provider/call-context.ts";
import { startServer, type TestServer } from "../../server.ts";
import { connectionInputs } from "./database-work.ts";

let server: TestServer;

/** Statements in a database, or in the server's own. */
const run = (database: string, ...statements: string[]) =>
  withClient(server.connection(database), async (client: Client) => {
    let rows: unknown[] = [];
    for (const statement of statements) ({ rows } = await client.query(statement));
    return rows;
  });

const inputsOf = (database: string): Properties => ({
  ...connectionInputs(server.connection(database)),
  owner: "shop_owner",
  members: ["shop_migrator"],
  schema: "public",
  tables: { shop_app: "SELECT, INSERT, UPDATE, DELETE", shop_readonly: "SELECT" },
  sequences: { shop_app: "USAGE", shop_readonly: "SELECT" },
  functions: { shop_app: "EXECUTE" },
});

/** What a create says, `severity: line` each. */
const create = async (database: string, preview = false) => {
  const context = contextOf("Takeover");
  await takeover.create(context, inputsOf(database), preview);
  return context.lines;
};

const can = (database: string, role: string, what: string) =>
  run(database, `select ${what.replace("ROLE", `'${role}'`)} as can`).then(([row]) => (row as { can: boolean }).can);

beforeAll(async () => {
  server = await startServer();
  const roles = ["shop_owner", "shop_migrator", "shop_app", "shop_readonly", "ana", "shared"].map(
    (name) => `create role ${name}`,
  );
  await run("postgres", ...roles);
});
afterAll(() => server?.stop());

describe("the takeover of a database that others have worked in", () => {
  beforeAll(async () => {
    await run("postgres", "create database shop owner shop_owner", "create database other owner shared");
    await run(
      "shop",
      "create extension citext",
      "create extension pg_stat_statements",
      'create table "Shelf of Ana\'s" (id serial primary key)',
      `alter table "Shelf of Ana's" owner to ana`,
      "create table part (at date) partition by range (at)",
      "create table part_2024 partition of part for values from ('2024-01-01') to ('2025-01-01')",
      "alter table part owner to shared",
      "alter table part_2024 owner to shared",
      "create materialized view seen as select 1 as one",
      "create function add_one(integer) returns integer language sql return $1 + 1",
      "revoke execute on function add_one(integer) from public",
      "create sequence number",
      "create schema old authorization ana",
      "create table old.shelf (id integer)",
    );
  });

  it("is told by a preview, and not done", async () => {
    const lines = await create("shop", true);
    expect(lines[0]).toBe(
      "info: 7 objects of others would be opened to the database's roles: function public.add_one(integer), " +
        `sequence public."Shelf of Ana's_id_seq", sequence public.number, table public."Shelf of Ana's", ` +
        "table public.part, table public.part_2024, materialized view public.seen",
    );
    expect(await can("shop", "shop_app", `has_table_privilege(ROLE, 'part', 'select')`)).toBe(false);
  });

  it("warns of owners, with statements that hand over just what is here", async () => {
    const lines = await create("shop", true);
    expect(lines.filter((line) => line.startsWith("warning: "))).toEqual([
      `warning: ana owns 2 objects that migrations cannot change: schema old, table public."Shelf of Ana's". ` +
        'To hand over, as a superuser in this database: REASSIGN OWNED BY "ana" TO "shop_owner";',
      "warning: postgres owns 4 objects that migrations cannot change: function public.add_one(integer), sequence public.number, table old.shelf, 1 more. " +
        'To hand over, as a superuser in this database: ALTER ROUTINE public.add_one(integer) OWNER TO "shop_owner"; ' +
        'ALTER SEQUENCE public.number OWNER TO "shop_owner"; ALTER TABLE old.shelf OWNER TO "shop_owner"; and so on',
      "warning: shared owns 2 objects that migrations cannot change: table public.part, table public.part_2024. " +
        'To hand over, as a superuser in this database: ALTER TABLE public.part OWNER TO "shop_owner"; ALTER TABLE public.part_2024 OWNER TO "shop_owner";',
      'warning: Schema "old" with one table is left as it is: only schema "public" is opened to shop_app and shop_readonly. Grant what they need in a migration.',
    ]);
  });

  it("gives the roles what the matrix says, and extensions' objects to nobody", async () => {
    await create("shop");
    expect(
      await can("shop", "shop_app", `has_table_privilege(ROLE, '"Shelf of Ana''s"', 'insert, update, delete')`),
    ).toBe(true);
    expect(await can("shop", "shop_app", `has_sequence_privilege(ROLE, '"Shelf of Ana''s_id_seq"', 'usage')`)).toBe(
      true,
    );
    expect(await can("shop", "shop_app", "has_function_privilege(ROLE, 'add_one(integer)', 'execute')")).toBe(true);
    expect(await can("shop", "shop_readonly", "has_table_privilege(ROLE, 'seen', 'select')")).toBe(true);
    expect(await can("shop", "shop_readonly", "has_table_privilege(ROLE, 'part_2024', 'insert')")).toBe(false);
    expect(await can("shop", "shop_readonly", "has_function_privilege(ROLE, 'add_one(integer)', 'execute')")).toBe(
      false,
    );
    expect(await can("shop", "shop_app", "has_table_privilege(ROLE, 'old.shelf', 'select')")).toBe(false);
    expect(await can("shop", "shop_app", "has_table_privilege(ROLE, 'pg_stat_statements', 'delete')")).toBe(false);
  });

  it("hands over by the statements that it named, which work as they are", async () => {
    await run(
      "shop",
      'REASSIGN OWNED BY "ana" TO "shop_owner";',
      'ALTER ROUTINE public.add_one(integer) OWNER TO "shop_owner"; ALTER SEQUENCE public.number OWNER TO "shop_owner";',
    );
    expect(await run("shop", "select tableowner from pg_tables where tablename like 'Shelf%'")).toEqual([
      { tableowner: "shop_owner" },
    ]);
    expect(await can("shop", "shop_app", `has_table_privilege(ROLE, '"Shelf of Ana''s"', 'select')`)).toBe(true);
  });

  it("is done once: what was narrowed since stays narrow", async () => {
    await run("shop", "revoke update, delete on part from shop_app");
    expect(await create("shop")).toEqual([]);
    expect(await can("shop", "shop_app", "has_table_privilege(ROLE, 'part', 'delete')")).toBe(false);
  });
});

describe("the takeover of a database that was open to everybody", () => {
  beforeAll(async () => {
    await run("postgres", "create database bazaar owner shop_owner", "grant shop_owner to ana, shop_migrator");
    await run(
      "bazaar",
      "create table stall (id serial primary key, note text)",
      "grant all on all tables in schema public to public",
      "grant all on all sequences in schema public to public",
      "create view note as select note from stall",
      "grant select (note) on note to public",
      "create function empty_all() returns void language sql return null",
      // As graphile-migrate's own command line left it, and a schema that only has the kit's name.
      "create schema graphile_migrate authorization ana",
      "create table graphile_migrate.migrations (hash text primary key)",
      "alter table graphile_migrate.migrations owner to ana",
      "create schema pgroundwork authorization ana",
      "alter database bazaar set default_transaction_read_only = on",
      "alter role shop_app in database bazaar set search_path = 'secret-of-ana'",
    );
  });

  it("tells what it closes, what it hands over, and what a person has to decide", async () => {
    expect(await create("bazaar", true)).toEqual([
      "info: 4 objects of others would be opened to the database's roles: function public.empty_all(), " +
        "sequence public.stall_id_seq, view public.note, table public.stall",
      "info: 4 objects open to PUBLIC would be closed to it: function public.empty_all(), sequence public.stall_id_seq, view public.note, table public.stall",
      "info: 3 objects that migrations are recorded in would be handed over to the role that migrates: " +
        "schema graphile_migrate (ana's), schema pgroundwork (ana's), table graphile_migrate.migrations (ana's)",
      expect.stringMatching(/^warning: postgres owns 3 objects that migrations cannot change: /),
      "warning: Sessions in this database begin with settings that the stack does not declare: default_transaction_read_only, search_path (for shop_app). " +
        'To take them back, as a superuser: ALTER DATABASE "bazaar" RESET "default_transaction_read_only"; ' +
        'ALTER ROLE "shop_app" IN DATABASE "bazaar" RESET "search_path";',
      "warning: ana is a member of shop_owner and can change what migrations make. To take that back, as a superuser: " +
        'REVOKE "shop_owner" FROM "ana";',
    ]);
  });

  it("leaves everybody nothing, and the roles what the matrix says", async () => {
    await create("bazaar");
    const readonly = (what: string) => can("bazaar", "shop_readonly", what);
    expect(await readonly("has_table_privilege(ROLE, 'stall', 'select')")).toBe(true);
    expect(await readonly("has_table_privilege(ROLE, 'stall', 'insert, update, delete, truncate')")).toBe(false);
    expect(await readonly("has_sequence_privilege(ROLE, 'stall_id_seq', 'usage, update')")).toBe(false);
    expect(await readonly("has_function_privilege(ROLE, 'empty_all()', 'execute')")).toBe(false);
    expect(await can("bazaar", "shared", "has_any_column_privilege(ROLE, 'public.note', 'select')")).toBe(false);
  });

  it("lets the role that migrates record migrations", async () => {
    expect(
      await run(
        "bazaar",
        `select relnamespace::regnamespace::text || '.' || relname as name, relowner::regrole::text as owner
           from pg_class where relkind = 'r' and relnamespace::regnamespace::text in ('pgroundwork', 'graphile_migrate') order by 1`,
      ),
    ).toEqual([
      { name: "graphile_migrate.migrations", owner: "shop_owner" },
      { name: "pgroundwork.migration_ledger", owner: "shop_owner" },
    ]);
    expect(await can("bazaar", "shop_owner", "has_schema_privilege(ROLE, 'graphile_migrate', 'create')")).toBe(true);
    expect(await create("bazaar")).toEqual([]);
  });

  it("names statements that take settings and members back, which work as they are", async () => {
    await run(
      "bazaar",
      "begin read write",
      'ALTER DATABASE "bazaar" RESET "default_transaction_read_only"; ALTER ROLE "shop_app" IN DATABASE "bazaar" RESET "search_path";',
      'REVOKE "shop_owner" FROM "ana";',
      "commit",
    );
    expect(await run("bazaar", "show default_transaction_read_only")).toEqual([
      { default_transaction_read_only: "off" },
    ]);
  });
});

describe("the takeover of a database", () => {
  it("that is new does nothing, and leaves no mark", async () => {
    await run("postgres", "create database fresh owner shop_owner");
    await run("fresh", "create extension citext");
    expect(await create("fresh")).toEqual([]);
    expect(await run("fresh", "select from pg_namespace where nspname = 'pgroundwork'")).toEqual([]);
  });

  it("that is not there yet is nothing in a preview, and an error in an up", async () => {
    expect(await create("absent", true)).toEqual([]);
    await expect(create("absent")).rejects.toThrow('there is no database "absent"');
  });

  it("is forgotten by a refresh with its database alone", async () => {
    const stateOf = (inputs: Properties) => ({ id: "any/takeover", inputs, outputs: inputs });
    const read = (inputs: Properties) => takeover.read(contextOf("Takeover"), stateOf(inputs));
    expect(await read(inputsOf("absent"))).toBeUndefined();
    for (const inputs of [inputsOf("postgres"), { ...inputsOf("absent"), password: "wrong" }]) {
      expect(await read(inputs)).toEqual(stateOf(inputs));
    }
  });

  it("is due again for another database only", async () => {
    const context = contextOf("Takeover");
    const old = { id: "shop/takeover", inputs: inputsOf("shop"), outputs: inputsOf("shop") };
    expect(await takeover.diff(context, old, { ...inputsOf("shop"), password: "new", tables: {} })).toEqual({
      changes: [],
    });
    expect(await takeover.diff(context, old, inputsOf("other"))).toEqual({
      changes: [{ path: "database", kind: "update" }],
    });
  });

  it("refuses privileges that are no words", async () => {
    const tables = { shop_app: "SELECT ON TABLE x TO public; --" };
    const { failures } = await takeover.check(contextOf("Takeover"), { ...inputsOf("shop"), tables }, undefined);
    expect(failures).toEqual([
      {
        property: "tables",
        reason: 'tables has to hold privileges like "SELECT, INSERT", and has "SELECT ON TABLE x TO public; --"',
      },
    ]);
  });
});
