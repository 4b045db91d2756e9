import type { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { adoption } from "../../../../../../infra/provider/resources/databases/adoption.ts";
import type { Properties } from "../../../../../../infra/provider-protocol/values.ts";
import { withClient } from "../../../../../../scripts/connection/client.ts";
import { contextOf } from "../../../../../unit/infra/provider/call-context.ts";
import { startServer, type TestServer } from "../../../../server.ts";
import { connectionInputs } from "../../database-work.ts";

let server: TestServer;

/** Runs statements in a database. */
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

/** Returns the messages of a create, one `severity: line` each. */
const create = async (database: string, preview = false) => {
  const context = contextOf("Adoption");
  await adoption.create(context, inputsOf(database), preview);
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

describe("adoption of a database with objects of other owners", () => {
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

  it("is announced by a preview, which changes nothing", async () => {
    const lines = await create("shop", true);
    expect(lines[0]).toBe(
      "info: would grant the database's roles privileges on 7 objects: function public.add_one(integer), " +
        `sequence public."Shelf of Ana's_id_seq", sequence public.number, table public."Shelf of Ana's", ` +
        "table public.part, table public.part_2024, materialized view public.seen",
    );
    expect(await can("shop", "shop_app", `has_table_privilege(ROLE, 'part', 'select')`)).toBe(false);
  });

  it("warns of other owners, with statements that transfer only the objects of this database", async () => {
    const lines = await create("shop", true);
    expect(lines.filter((line) => line.startsWith("warning: "))).toEqual([
      `warning: ana owns 2 objects that migrations cannot change: schema old, table public."Shelf of Ana's". ` +
        'To change the owner, run as a superuser in this database: REASSIGN OWNED BY "ana" TO "shop_owner";',
      "warning: postgres owns 4 objects that migrations cannot change: function public.add_one(integer), sequence public.number, table old.shelf, 1 more. " +
        'To change the owner, run as a superuser in this database: ALTER ROUTINE public.add_one(integer) OWNER TO "shop_owner"; ' +
        'ALTER SEQUENCE public.number OWNER TO "shop_owner"; ALTER TABLE old.shelf OWNER TO "shop_owner"; and so on',
      "warning: shared owns 2 objects that migrations cannot change: table public.part, table public.part_2024. " +
        'To change the owner, run as a superuser in this database: ALTER TABLE public.part OWNER TO "shop_owner"; ALTER TABLE public.part_2024 OWNER TO "shop_owner";',
      'warning: Schema "old" with one table stays unchanged: only objects in schema "public" are granted to shop_app and shop_readonly. Grant what they need in a migration.',
    ]);
  });

  it("grants the roles their privileges, and none on objects of extensions", async () => {
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

  it("names statements that transfer ownership and work as printed", async () => {
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

  it("happens once and does not restore privileges that were revoked since", async () => {
    await run("shop", "revoke update, delete on part from shop_app");
    expect(await create("shop")).toEqual([]);
    expect(await can("shop", "shop_app", "has_table_privilege(ROLE, 'part', 'delete')")).toBe(false);
  });
});

describe("adoption of a database that was open to PUBLIC", () => {
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
      // Objects of graphile-migrate's own command line, and a schema that only shares the kit's name.
      "create schema graphile_migrate authorization ana",
      "create table graphile_migrate.migrations (hash text primary key)",
      "alter table graphile_migrate.migrations owner to ana",
      "create schema pgroundwork authorization ana",
      "alter database bazaar set default_transaction_read_only = on",
      "alter role shop_app in database bazaar set search_path = 'secret-of-ana'",
    );
  });

  it("announces what it revokes, what it transfers, and what a person has to decide", async () => {
    expect(await create("bazaar", true)).toEqual([
      "info: would grant the database's roles privileges on 4 objects: function public.empty_all(), " +
        "sequence public.stall_id_seq, view public.note, table public.stall",
      "info: would revoke all privileges of PUBLIC on 4 objects: function public.empty_all(), sequence public.stall_id_seq, view public.note, table public.stall",
      "info: would transfer 3 objects with migration records to the owner role: " +
        "schema graphile_migrate (ana's), schema pgroundwork (ana's), table graphile_migrate.migrations (ana's)",
      expect.stringMatching(/^warning: postgres owns 3 objects that migrations cannot change: /),
      "warning: This database has settings that the stack does not declare: default_transaction_read_only, search_path (for shop_app). " +
        'To reset them, run as a superuser: ALTER DATABASE "bazaar" RESET "default_transaction_read_only"; ' +
        'ALTER ROLE "shop_app" IN DATABASE "bazaar" RESET "search_path";',
      "warning: ana is a member of shop_owner and can change what migrations create. To revoke the membership, run as a superuser: " +
        'REVOKE "shop_owner" FROM "ana";',
    ]);
  });

  it("leaves PUBLIC no privileges, and the roles their own", async () => {
    await create("bazaar");
    const readonly = (what: string) => can("bazaar", "shop_readonly", what);
    expect(await readonly("has_table_privilege(ROLE, 'stall', 'select')")).toBe(true);
    expect(await readonly("has_table_privilege(ROLE, 'stall', 'insert, update, delete, truncate')")).toBe(false);
    expect(await readonly("has_sequence_privilege(ROLE, 'stall_id_seq', 'usage, update')")).toBe(false);
    expect(await readonly("has_function_privilege(ROLE, 'empty_all()', 'execute')")).toBe(false);
    expect(await can("bazaar", "shared", "has_any_column_privilege(ROLE, 'public.note', 'select')")).toBe(false);
  });

  it("lets the migrator record migrations", async () => {
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

  it("names statements that reset settings and memberships and work as printed", async () => {
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

describe("adoption of a database", () => {
  it("does nothing to a new one, and leaves no trace", async () => {
    await run("postgres", "create database fresh owner shop_owner");
    await run("fresh", "create extension citext");
    expect(await create("fresh")).toEqual([]);
    expect(await run("fresh", "select from pg_namespace where nspname = 'pgroundwork'")).toEqual([]);
  });

  it("is reported as unknown by a preview if the database accepts no connection", async () => {
    await run("postgres", "create database closed", "alter database closed allow_connections false");
    expect(await create("closed", true)).toEqual([
      expect.stringMatching(
        /^warning: What an adoption of the database would change could not be read: .*closed.* is not currently accepting/,
      ),
    ]);
  });

  it("does nothing in a preview for a database that does not exist yet, and fails in an up", async () => {
    expect(await create("absent", true)).toEqual([]);
    await expect(create("absent")).rejects.toThrow('the database "absent" does not exist');
  });

  it("is removed from the state by a refresh only if its database is gone", async () => {
    const stateOf = (inputs: Properties) => ({ id: "any/adoption", inputs, outputs: inputs });
    const read = (inputs: Properties) => adoption.read(contextOf("Adoption"), stateOf(inputs));
    expect(await read(inputsOf("absent"))).toBeUndefined();
    for (const inputs of [inputsOf("postgres"), { ...inputsOf("absent"), password: "wrong" }]) {
      expect(await read(inputs)).toEqual(stateOf(inputs));
    }
  });

  it("is due again only for another database", async () => {
    const context = contextOf("Adoption");
    const old = { id: "shop/adoption", inputs: inputsOf("shop"), outputs: inputsOf("shop") };
    expect(await adoption.diff(context, old, { ...inputsOf("shop"), password: "new", tables: {} })).toEqual({
      changes: [],
    });
    expect(await adoption.diff(context, old, inputsOf("other"))).toEqual({
      changes: [{ path: "database", kind: "update" }],
    });
  });

  it("refuses privileges that are not keywords", async () => {
    const tables = { shop_app: "SELECT ON TABLE x TO public; --" };
    const { failures } = await adoption.check(contextOf("Adoption"), { ...inputsOf("shop"), tables }, undefined);
    expect(failures).toEqual([
      {
        property: "tables",
        reason: 'tables must contain privileges like "SELECT, INSERT", but contains "SELECT ON TABLE x TO public; --"',
      },
    ]);
  });
});

it("adoption also opens objects that others create between its query and its grants", async () => {
  await run("postgres", "create database busy owner shop_owner");
  // Creates a table at the first grant: after the provider has read the objects, and before it has finished.
  await run(
    "busy",
    "create table early (id integer)",
    `create function make_late() returns event_trigger language plpgsql as $$
       begin if to_regclass('public.late') is null then create table public.late (id integer); end if; end $$`,
    "create event trigger late on ddl_command_end when tag in ('GRANT') execute function make_late()",
  );
  expect(await create("busy")).toContainEqual(
    expect.stringMatching(/ granted the database's roles privileges on \d+ objects: .*\bearly\b.*\blate\b/),
  );
  expect(await can("busy", "shop_app", "has_table_privilege(ROLE, 'late', 'insert')")).toBe(true);
});
