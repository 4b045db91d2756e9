import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ImportMap } from "../../../../scripts/import/map.ts";
import { type ImportCase, type ImportCases, startImportCases } from "./import-cases.ts";

let cases: ImportCases;
beforeAll(async () => {
  cases = await startImportCases();
});
afterAll(() => cases?.stop());

const itemMap = (columns: ImportMap["tables"][number]["columns"]): ImportMap => ({
  rejects: "skip",
  tables: [{ to: "item", from: "items", columns }],
});

/** Imports rows of JSON, first in a dry run, and returns the keys of the rejected ones with their reasons. */
async function rejectsOf(target: ImportCase, rows: readonly object[], map: ImportMap): Promise<string[]> {
  const file = await target.file("items.json", JSON.stringify(rows));
  const shown = ({ rejects }: Awaited<ReturnType<ImportCase["run"]>>["report"]) =>
    rejects.map(({ key, problems }) => `${key}: ${problems.map(({ reason }) => reason).join("; ")}`);
  const tried = await target.run("json", file, map, { dryRun: true });
  const { report } = await target.run("json", file, map);
  expect([report.outcome, report.verify?.failures]).toEqual(["verified", []]);
  expect(shown(tried.report)).toEqual(shown(report));
  const left = await target.rows("select relname from pg_class where relname like 'import_stage%'");
  expect(left).toEqual([]);
  return shown(report);
}

describe("a row is rejected before the load", () => {
  it("by a check, a unique key or NOT NULL of a generated column", async () => {
    const target = await cases.begin(
      `create table item (id integer primary key, v text, low text generated always as (lower(v)) stored unique check (low <> 'no'),
         size integer not null generated always as (10 / nullif(length(v), 3)) stored)`,
    );
    const rows = ["a", "A", "No", "abc", ""].map((v, id) => ({ id, v }));
    expect(await rejectsOf(target, rows, itemMap({ id: "id", v: "v" }))).toEqual([
      "1: another row of the source has the same key (item_low_key)",
      "2: check item_low_check: (low <> 'no'::text)",
      "3: the target requires a value in size, which it generates",
      "4: generated column low, size raises an error: division by zero",
    ]);
  });

  it("by a generated column that raises an error and that nothing else uses", async () => {
    const target = await cases.begin(
      "create table item (id integer primary key, n integer, share integer generated always as (10 / n) stored, odd integer generated always as (n % 2) stored check (odd < 9))",
    );
    const rows = [1, 0, null].map((n, id) => ({ id, n }));
    expect(await rejectsOf(target, rows, itemMap({ id: "id", n: "n" }))).toEqual([
      "1: generated column share raises an error: division by zero",
    ]);
  });

  it("by an exclusion constraint, against the target and earlier rows that are not rejected", async () => {
    const target = await cases.begin(
      `create table item (id integer primary key, during int4range, exclude using gist (during with &&) where (id < 100));
       insert into item values (50, '[100,200)')`,
    );
    const ranges = ["[1,3)", "[2,5)", "[4,6)", "[150,151)", "empty"];
    const rows = [...ranges.map((during, id) => ({ id, during })), { id: 100, during: "[1,3)" }];
    expect(await rejectsOf(target, rows, itemMap({ id: "id", during: "during" }))).toEqual([
      "1: another row of the source excludes it (item_during_excl)",
      "3: another row of the target excludes it (item_during_excl)",
    ]);
  });

  it("by the bounds of partitions", async () => {
    const target = await cases.begin(
      `create table item (id integer primary key, v text) partition by range (id);
       create table item_low partition of item for values from (0) to (10);
       create table item_high partition of item for values from (10) to (20)`,
    );
    const rows = [1, 15, 30].map((id) => ({ id, v: "x" }));
    expect(await rejectsOf(target, rows, itemMap({ id: "id", v: "v" }))).toEqual([
      "30: public.item has no partition for the row",
    ]);
    const map = { ...itemMap({}), tables: [{ to: "item_low", from: "items", columns: { id: "id", v: "v" } }] };
    expect(
      await rejectsOf(
        target,
        [
          { id: 2, v: "x" },
          { id: 16, v: "x" },
        ],
        map,
      ),
    ).toEqual(["16: the row is outside the bounds of the partition public.item_low"]);
  });

  it("by a foreign key with MATCH FULL, of a parent table, or with a default that references", async () => {
    const target = await cases.begin(
      `create table owner (a integer, b integer, primary key (a, b)); insert into owner values (1, 1);
       create table kind (id integer primary key);
       create table item (id integer primary key, a integer, b integer, k integer, d integer default 7,
         foreign key (a, b) references owner match full) partition by range (id);
       create table item_low partition of item for values from (0) to (10);
       alter table item add foreign key (k) references kind`,
    );
    const map = {
      ...itemMap({}),
      tables: [{ to: "item_low", from: "items", columns: { id: "id", a: "a", b: "b", k: "k" } }],
    };
    const rows = [
      { id: 1, a: 1, b: 1 },
      { id: 2, a: 1, b: null },
      { id: 3, k: 5 },
      { id: 4, a: null, b: null },
    ];
    expect(await rejectsOf(target, rows, map)).toEqual([
      "2: a, b references public.owner with MATCH FULL, and only some of them have a value",
      "3: k references public.kind 5, which does not exist",
    ]);
    await target.rows("delete from item; alter table item add foreign key (d) references kind");
    expect(await rejectsOf(target, [{ id: 1 }], map)).toEqual(["1: d references public.kind 7, which does not exist"]);
  });

  it("by row security for this login, with the settings of the load", async () => {
    const target = await cases.begin(
      `create table item (id integer primary key, tenant text); alter table item enable row level security;
       alter table item force row level security; create table tenant (name text); insert into tenant values ('a'), ('b');
       create policy own on item using (true) with check (tenant = current_setting('app.tenant', true));
       create policy known on item as restrictive for insert with check (exists (select from tenant t where t.name = item.tenant))`,
    );
    const rows = ["a", "b", "c"].map((tenant, id) => ({ id, tenant }));
    const map = { ...itemMap({ id: "id", tenant: "tenant" }), session: { "app.tenant": "a" } };
    const reason = "row security does not let this login insert the row (policies: known, own)";
    expect(await rejectsOf(target, rows, map)).toEqual([`1: ${reason}`, `2: ${reason}`]);
    const file = await target.file("items.json", JSON.stringify(rows));
    const { report } = await target.run("json", file, map, { dryRun: true });
    expect(report.notes).toEqual([
      "public.item: row security can hide rows with the same keys from this login, or refuse updates, which was not checked before the load",
    ]);
  });

  it("by row security that would hide it from the comparison", async () => {
    const target = await cases.begin(
      `create table item (id integer primary key); alter table item enable row level security;
       alter table item force row level security; create policy own on item using (id < 10) with check (id < 20)`,
    );
    expect(await rejectsOf(target, [{ id: 1 }, { id: 15 }, { id: 25 }], itemMap({ id: "id" }))).toEqual([
      "15: row security would hide the row from this login, so that it could not be compared (policies: own)",
      "25: row security does not let this login insert the row (policies: own)",
    ]);
  });

  it("by an index whose entries it is too long for", async () => {
    const target = await cases.begin(
      "create table item (id text primary key, v text); create index on item (v) where id <> 'free'",
    );
    // Random digits do not become short enough, and repeated ones do.
    const digits = Array.from({ length: 12_000 }, (_, index) => ((index * 7919) % 65_537).toString(36)).join("");
    const rows = [
      { id: "a", v: digits },
      { id: "b", v: "x".repeat(12_000) },
      { id: "free", v: digits },
      { id: digits },
    ];
    const [first, second] = await rejectsOf(target, rows, itemMap({ id: "id", v: "v" }));
    expect(first).toMatch(/^a: index item_v_idx: index row (size|requires)/);
    expect(second).toMatch(/: index item_pkey: index row (size|requires)/);
  });

  it("by an expression of a check or of an index that raises an error for it", async () => {
    const target = await cases.begin(
      `create table item (id integer primary key, n integer, v text, check (10 / n > 1)); create unique index on item ((v::integer));
       create domain inverse as integer check (10 / value > 0); alter table item add i inverse`,
    );
    const rows = [
      { id: 1, n: 0 },
      { id: 2, n: 5, v: "12" },
      { id: 3, n: 5, v: "many" },
      { id: 4, n: 50, i: 1 },
      { id: 5, n: 1, i: 0 },
    ];
    expect(await rejectsOf(target, rows, itemMap({ id: "id", n: "n", v: "v", i: "i" }))).toEqual([
      "1: check item_n_check: ((10 / n) > 1) raises an error: division by zero",
      '3: unique index item_v_idx raises an error: invalid input syntax for type integer: "many"',
      "4: check item_n_check: ((10 / n) > 1)",
      "5: i: the type inverse raises an error: division by zero",
    ]);
  });
});

describe("a map", () => {
  it("has to fill a required column whose name every object has", async () => {
    const { file, run } = await cases.begin('create table item (id integer primary key, "constructor" text not null)');
    const work = run("json", await file("items.json", '[{"id": 1}]'), itemMap({ id: "id" }));
    await expect(work).rejects.toThrow("column constructor is required and not mapped");
  });

  it("cannot fill a table that has a column of a name that the import uses itself", async () => {
    const { file, run } = await cases.begin('create table item (id integer primary key, "$action" text)');
    const work = run("json", await file("items.json", '[{"id": 1}]'), itemMap({ id: "id" }));
    await expect(work).rejects.toThrow("column $action: the import uses this name itself");
  });
});
