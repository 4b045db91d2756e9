import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Catalog, readCatalog } from "../../../../scripts/catalog/catalog.ts";
import { compareCatalogs } from "../../../../scripts/catalog/compare.ts";
import { withClient } from "../../../../scripts/connection/client.ts";
import { type Connection, inDatabase } from "../../../../scripts/connection/connection.ts";
import { planPrivileges } from "../../../../scripts/model/privileges.ts";
import { privilegeStatements } from "../../../../scripts/scratch/planned-database.ts";
import { startServer, type TestServer } from "../../server.ts";

const shop = `
  create type mood as enum ('good', 'bad');
  create domain amount as numeric(12, 2) check (value >= 0);
  create table customer (
    id uuid primary key default gen_random_uuid(), name text not null unique, mood mood not null default 'good', "Odd Name" text
  );
  comment on table customer is 'who buys';
  comment on column customer.name is 'as on the bill';
  create table customer_order (
    id bigint generated always as identity primary key, customer_id uuid not null references customer, total amount not null, placed_at timestamptz not null
  );
  create index customer_order_customer_idx on customer_order (customer_id);
  create function touch() returns trigger language plpgsql set search_path = '' as $$ begin return new; end $$;
  create trigger customer_touch before update on customer for each row execute function touch();
  create view best as select name from customer where mood = 'good';
  create materialized view totals as select customer_id, sum(total) as total from customer_order group by 1;
  alter table customer enable row level security;
  create policy everyone on customer using (true);
  create statistics customer_stats on name, mood from customer;
  create table log (at timestamptz not null, what text) partition by range (at);
  create index log_at_idx on log (at);
  create table log_2030_01 partition of log for values from ('2030-01-01') to ('2030-02-01');
  create table log_default partition of log default;`;

describe("the comparison of two catalogs", () => {
  let server: TestServer;
  let admin: Connection;
  let like: Connection;
  let expected: Catalog;

  const run = (connection: Connection, sql: string) => withClient(connection, (client) => client.query(sql));
  /** Returns the differences after a manual change. */
  const drift = (byHand: string) =>
    withCopy(async (copy) => {
      await run(inDatabase(like, copy), shop);
      await run(inDatabase(admin, copy), byHand);
      const found = await withClient(inDatabase(like, copy), readCatalog);
      return compareCatalogs(withoutDatabase(expected), withoutDatabase(found));
    });
  /** Creates a database with the same owner and privileges and another name. */
  const withCopy = async <T>(use: (name: string) => Promise<T>): Promise<T> => {
    await run(admin, "create database copy owner store_owner");
    try {
      for (const statement of privilegeStatements("copy", planPrivileges("store")))
        await run(inDatabase(admin, "copy"), statement);
      return await use("copy");
    } finally {
      await run(admin, "drop database copy with (force)");
    }
  };
  const withoutDatabase = (catalog: Catalog): Catalog =>
    new Map([...catalog].filter(([, { kind }]) => kind !== "database"));
  const briefly = async (byHand: string) =>
    (await drift(byHand)).map(({ what, kind, name }) => `${what} ${kind} ${name}`);

  beforeAll(async () => {
    server = await startServer();
    await server.createDatabase("store");
    admin = server.connection();
    like = server.as("migrator", "store");
    await run(like, shop);
  });
  beforeEach(async () => {
    expected = await withClient(like, readCatalog);
  });
  afterAll(() => server?.stop());

  it("finds no difference after the same statements, whatever the order of columns and the IDs", async () => {
    expect(expected.size).toBeGreaterThan(40);
    expect(
      await briefly("create table gone (id int); drop table gone; alter sequence customer_order_id_seq restart 7"),
    ).toEqual([]);
  });

  it.each([
    ["alter table customer add column age int", ["extra column public.customer.age"]],
    [
      "alter table customer drop column name cascade",
      [
        "missing column public.customer.name",
        "missing comment on public.customer.name",
        "missing constraint public.customer.customer_name_key",
        "missing index public.customer_name_key",
        "missing statistics public.customer_stats",
        "missing view public.best",
      ].sort(),
    ],
    ['alter table customer alter "Odd Name" set not null', ['different column public.customer."Odd Name"']],
    ["alter table customer alter name set default 'x'", ["different column public.customer.name"]],
    [
      "alter table customer drop constraint customer_name_key",
      ["missing constraint public.customer.customer_name_key", "missing index public.customer_name_key"],
    ],
    [
      "alter table customer_order add constraint positive check (total > 0) not valid",
      ["extra constraint public.customer_order.positive"],
    ],
    ["drop index customer_order_customer_idx", ["missing index public.customer_order_customer_idx"]],
    [
      "update pg_index set indisvalid = false where indexrelid = 'customer_order_customer_idx'::regclass",
      ["different index public.customer_order_customer_idx"],
    ],
    ["alter table customer disable trigger customer_touch", ["different trigger public.customer.customer_touch"]],
    [
      "create or replace function touch() returns trigger language plpgsql as $$ begin return null; end $$",
      ["different function public.touch()"],
    ],
    ["alter function touch() owner to postgres", ["different function public.touch()"]],
    ["create or replace view best as select name from customer where mood = 'bad'", ["different view public.best"]],
    ["drop materialized view totals", ["missing materialized view public.totals"]],
    ["alter type mood add value 'indifferent'", ["different type public.mood"]],
    ["alter domain amount drop constraint amount_check", ["different type public.amount"]],
    ["alter table customer disable row level security", ["different table public.customer"]],
    [
      "drop policy everyone on customer; create policy everyone on customer using (false)",
      ["different policy public.customer.everyone"],
    ],
    ["grant delete on customer to store_readonly", ["different table public.customer"]],
    ["revoke all on schema public from store_app", ["different schema public"]],
    [
      "alter default privileges for role store_owner in schema public grant truncate on tables to store_app",
      ["different default privileges of store_owner on tables in public"],
    ],
    ["comment on table customer is 'somebody'", ["different comment on public.customer"]],
    ["drop statistics customer_stats", ["missing statistics public.customer_stats"]],
    ["create extension citext", ["extra extension citext"]],
    [
      "create schema extra; create table extra.t (id serial primary key); comment on table extra.t is 'x'",
      ["extra schema extra", "extra table extra.t"],
    ],
    ["alter sequence customer_order_id_seq increment 2", ["different sequence public.customer_order_id_seq"]],
    ["create schema pgroundwork; create table pgroundwork.x (id int)", []],
  ])("finds what was changed by hand: %s", async (byHand, differences) => {
    expect(await briefly(byHand)).toEqual(differences);
  });

  it("shows both definitions of an object that differs", async () => {
    expect(
      await drift("alter table customer alter name type varchar(80)").catch(() =>
        drift("alter table customer alter mood set default 'bad'"),
      ),
    ).toEqual([
      expect.objectContaining({
        expected: "public.mood not null\ndefault 'good'::public.mood",
        found: "public.mood not null\ndefault 'bad'::public.mood",
      }),
    ]);
  });

  describe("with partitions", () => {
    it("ignores partitions that were made at run time like their siblings, and archived ones", async () => {
      expect(
        await briefly(
          "create table log_2030_02 partition of log for values from ('2030-02-01') to ('2030-03-01'); alter table log_2030_02 owner to store_owner; grant select, insert, update, delete on log_2030_02 to store_app; grant select on log_2030_02 to store_readonly; drop table log_2030_01",
        ),
      ).toEqual([]);
    });

    it.each([
      [
        "belong to another role",
        "create table log_2030_02 partition of log for values from ('2030-02-01') to ('2030-03-01')",
        "extra partition public.log_2030_02",
      ],
      ["have an index of their own", "create index on log_2030_01 (what)", "different partition public.log_2030_01"],
      [
        "have a constraint of their own",
        "alter table log_2030_01 add constraint own check (what <> '')",
        "different partition public.log_2030_01",
      ],
      ["have other grants", "grant update on log_default to store_readonly", "different partition public.log_default"],
    ])("reports partitions that %s", async (_, byHand, difference) => {
      expect(await briefly(byHand)).toEqual([difference]);
    });
  });
});
