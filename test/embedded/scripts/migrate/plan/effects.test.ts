import { describe, expect, it } from "vitest";
import { databasePerTest } from "../database-per-test.ts";
import { plansFor } from "./plans.ts";

const { planBehindBase } = plansFor(databasePerTest());

async function effectsOf(body: string): Promise<string[]> {
  const plan = await planBehindBase([{ name: "change", body }]);
  expect(plan.failure).toBeNull();
  return (plan.files[0]?.statements ?? []).map(({ effects }) => {
    const locks = effects?.locks.map(({ relation, mode }) => `${mode} ${relation}`) ?? ["did not run"];
    const did = (["rewritten", "scanned", "emptied", "dropped"] as const).flatMap((what) =>
      (effects?.[what] ?? []).map((name) => `${what} ${name}`),
    );
    return [...locks, ...did].join(", ").replaceAll("public.", "");
  });
}

describe("the planned effects of a statement", () => {
  it.each([
    {
      what: "a change to another type rewrites the table",
      sql: "alter table orders alter column id type bigint;",
      effects: ["AccessExclusiveLock orders, rewritten orders"],
    },
    {
      what: "a change to a type with the same storage does not rewrite the table",
      sql: "alter table orders alter column note type varchar;",
      effects: ["AccessExclusiveLock orders"],
    },
    {
      what: "a column with a default that differs by row rewrites the table",
      sql: "alter table orders add column ref uuid not null default gen_random_uuid();",
      effects: ["AccessExclusiveLock orders, rewritten orders"],
    },
    {
      what: "a column with a constant default does not rewrite the table",
      sql: "alter table orders add column urgent boolean not null default false;",
      effects: ["AccessExclusiveLock orders"],
    },
    {
      what: "SET NOT NULL scans, unless a constraint proves it; a lock that the file already holds is not repeated",
      sql: `alter table orders alter column customer set not null;
            alter table orders add constraint noted check (note is not null) not valid;
            alter table orders validate constraint noted;
            alter table orders alter column note set not null;`,
      effects: ["AccessExclusiveLock orders, scanned orders", "", "scanned orders", ""],
    },
    {
      what: "an index blocks writes while the table is scanned",
      sql: "create index orders_placed on orders (placed);",
      effects: ["ShareLock orders, scanned orders"],
    },
    {
      what: "a concurrent index build allows writes",
      sql: "--! no-transaction\ncreate index concurrently orders_placed on orders (placed);",
      effects: ["ShareUpdateExclusiveLock orders, scanned orders"],
    },
    {
      what: "dropping an index concurrently allows writes",
      sql: "--! no-transaction\ndrop index concurrently orders_customer;",
      effects: ["ShareUpdateExclusiveLock orders"],
    },
    {
      what: "VACUUM FULL locks everyone out, which is known before it begins",
      sql: "--! no-transaction\nvacuum full orders;",
      effects: ["AccessExclusiveLock orders, rewritten orders"],
    },
    {
      what: "REINDEX CONCURRENTLY allows reads and writes",
      sql: "--! no-transaction\nreindex index concurrently orders_customer;",
      effects: ["ShareUpdateExclusiveLock orders, scanned orders"],
    },
    {
      what: "a foreign key locks both tables and scans one; if NOT VALID, it scans none until it is validated",
      sql: `alter table orders add constraint of_customer foreign key (customer) references customers not valid;
            alter table orders validate constraint of_customer;`,
      effects: ["ShareRowExclusiveLock customers, ShareRowExclusiveLock orders", "scanned orders"],
    },
    {
      what: "dropping a column is quick and locks everyone out",
      sql: "alter table orders drop column note;",
      effects: ["AccessExclusiveLock orders"],
    },
    {
      what: "an update of all rows scans the table, one by an indexed column does not",
      sql: `update orders set note = '' where customer = 1;
            update orders set note = '';`,
      effects: ["RowExclusiveLock orders", "scanned orders"],
    },
    {
      what: "TRUNCATE empties the table and rewrites nothing",
      sql: "truncate orders;",
      effects: ["AccessExclusiveLock orders, emptied orders"],
    },
    {
      what: "dropping a table is reported, unless the file itself made it",
      sql: "create table notes (id int primary key); drop table notes; drop table orders;",
      effects: ["", "", "AccessExclusiveLock orders, dropped orders"],
    },
    {
      what: "a new table touches nothing that exists, whatever is done with it",
      sql: `create table extra (id int primary key);
            create index extra_id on extra (id);
            alter table extra alter column id type bigint;`,
      effects: ["", "", ""],
    },
    {
      what: "a reference from a new table locks the referenced table",
      sql: "create table lines (id int primary key, order_id int references orders);",
      effects: ["ShareRowExclusiveLock orders"],
    },
    {
      what: "the effects of a DO block include its statements",
      sql: "do $$ begin alter table orders add column x uuid default gen_random_uuid(); end $$;",
      effects: ["AccessExclusiveLock orders, rewritten orders"],
    },
  ])("$what", async ({ sql, effects }) => {
    expect(await effectsOf(sql)).toEqual(effects);
  });
});
