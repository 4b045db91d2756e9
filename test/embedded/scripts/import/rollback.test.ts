import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ImportMap } from "../../../../scripts/import/map.ts";
import { rollbackImport } from "../../../../scripts/import/run/rollback.ts";
import { failureOf, type ImportCase, type ImportCases, startImportCases } from "./import-cases.ts";

let cases: ImportCases;
beforeAll(async () => {
  cases = await startImportCases();
});
afterAll(() => cases?.stop());

/** Map of collections to tables of the same names and columns. */
const mapOf = (tables: Record<string, string[]>, more: Partial<ImportMap> = {}): ImportMap => ({
  existing: "update",
  ...more,
  tables: Object.entries(tables).map(([name, columns]) => ({
    to: name,
    from: name,
    columns: Object.fromEntries(columns.map((column) => [column, column])),
  })),
});
const roll = ({ connection }: ImportCase) => rollbackImport({ connection });
const textsOf = async ({ rows }: ImportCase, table: string) =>
  (await rows<{ row: string }>(`select t::text as row from ${table} t order by 1`)).map(({ row }) => row);
/** Runs an import of a SQLite database with one table x. */
const importX = (target: ImportCase, values: string, name?: string) =>
  target.run(
    "sqlite",
    target.sqlite(`create table x (id integer primary key, v integer); insert into x values ${values}`, name),
    mapOf({ x: ["id", "v"] }),
  );

describe("the rollback of an import", () => {
  it("restores values as they were spelled, and bounds of arrays, in rows that it updated or deleted", async () => {
    const target = await cases.begin(
      `create table x (id text primary key, v integer, j json, a integer[], b "char", c char(5), i interval, n numeric(10, 2), f float8, r int4range[]);
       create function filled() returns trigger language plpgsql as $$ begin
         new.j := '{"b":1,  "a":2, "a":3}'; new.a := '[0:1]={1,2}'; new.b := 'x'; new.c := 'ab'; new.i := '1 mon 3 days';
         new.n := 1.10; new.f := 0.1::float8 + 0.2; new.r := '{"[1,3)",empty}'; return new; end $$;
       create trigger filled before insert on x for each row execute function filled()`,
    );
    const map = mapOf({ x: ["id", "v"] }, { existing: "merge", missing: "delete" });
    const documents = (...ids: string[]) => ids.map((id) => ({ id, v: ids.length }));
    await target.run("json", await target.file("x.json", JSON.stringify(documents("a", "b", "c"))), map);
    const before = await textsOf(target, "x");
    expect(before[0]).toContain("[0:1]={1,2}");
    const file = await target.file("x.json", JSON.stringify(documents("a", "b")));
    const { report } = await target.run("json", file, map);
    expect(report).toMatchObject({ outcome: "verified", tables: [{ updated: 2, missing: { deleted: 1 } }] });
    await target.rows("drop trigger filled on x");
    expect((await roll(target)).tables).toMatchObject([{ restored: 2, reinserted: 1 }]);
    expect(await textsOf(target, "x")).toEqual(before);
  });

  it("restores rows that reference inserted ones, in one table or two, and reads unique values in any order", async () => {
    const target = await cases.begin(
      `create table p (id integer primary key, code text unique, boss integer references p on delete cascade);
       create table c (id integer primary key, p integer references p);
       insert into p values (1, 'A'); insert into c values (1, null)`,
    );
    const file = target.sqlite(
      `create table p (id integer primary key, code, boss integer); create table c (id integer primary key, p integer);
       insert into p values (1, 'B', 7), (7, 'A', null); insert into c values (1, 7)`,
    );
    await target.run(
      "sqlite",
      target.sqlite(
        `create table p (id integer primary key, code, boss integer); create table c (id integer primary key, p integer);
       insert into p values (1, 'B', null)`,
        "first.db",
      ),
      mapOf({ p: ["id", "code", "boss"], c: ["id", "p"] }),
    );
    const { report } = await target.run("sqlite", file, mapOf({ p: ["id", "code", "boss"], c: ["id", "p"] }));
    expect(report.outcome).toBe("verified");
    expect(await roll(target)).toMatchObject({
      conflicts: [],
      tables: [
        { table: "public.c", deleted: 0, restored: 1 },
        { table: "public.p", deleted: 1, restored: 1 },
      ],
    });
    expect([await textsOf(target, "p"), await textsOf(target, "c")]).toEqual([["(1,B,)"], ["(1,)"]]);
  });

  it("names a value that cannot be restored because another row has it, or because its parent is gone", async () => {
    const target = await cases.begin(
      `create table p (id integer primary key); insert into p values (1), (2), (10);
       create table x (id integer primary key, v integer unique references p); insert into x values (1, 1)`,
    );
    await importX(target, "(1, 10)");
    await target.rows("insert into x values (50, 1)");
    expect((await roll(target)).conflicts).toEqual([
      {
        table: "public.x",
        key: "(v)=(1)",
        reason: 'cannot be as before the import: duplicate key value violates unique constraint "x_v_key"',
      },
    ]);
    await target.rows("delete from x where id = 50; delete from p where id = 1");
    expect((await roll(target)).conflicts).toEqual([
      {
        table: "public.x",
        key: "(v)=(1)",
        reason:
          'cannot be as before the import: insert or update on table "x" violates foreign key constraint "x_v_fkey"',
      },
    ]);
    expect(await textsOf(target, "x")).toEqual(["(1,10)"]);
  });

  it("counts rows that were deleted since, also those that the import had updated", async () => {
    const target = await cases.begin("create table x (id integer primary key, v integer); insert into x values (1, 1)");
    await importX(target, "(1, 10), (2, 20), (3, 30)");
    await target.rows("delete from x where id < 3");
    expect((await roll(target)).tables).toMatchObject([{ deleted: 1, restored: 0, gone: 2 }]);
  });

  it("refuses a table whose columns were dropped or renamed, by their names", async () => {
    const target = await cases.begin("create table x (id integer primary key, v integer, w integer)");
    const { report } = await importX(target, "(1, 10)");
    await target.rows("alter table x drop w; alter table x rename v to vv");
    const error = await failureOf(roll(target));
    expect(error.message).toMatch(`public.x no longer has what import ${report.run} wrote: "v", "w".`);
    await target.rows("alter table x rename vv to v; alter table x add w integer");
    expect((await roll(target)).tables).toMatchObject([{ deleted: 1 }]);
  });

  it.each([["x"], ["x1"]])(
    "refuses rows that are referenced through a partition or its table (import into %s)",
    async (to) => {
      const target = await cases.begin(
        `create table x (id integer primary key, v integer) partition by range (id);
       create table x1 partition of x for values from (0) to (100);
       create table whole (x integer references x on delete cascade);
       create table part (x integer references x1 on delete cascade)`,
      );
      const map = mapOf({ x: ["id", "v"] });
      const file = target.sqlite(
        "create table x (id integer primary key, v integer); insert into x values (1, 1), (2, 2)",
      );
      await target.run("sqlite", file, { ...map, tables: map.tables.map((each) => ({ ...each, to })) });
      await target.rows("insert into whole values (1); insert into part values (2)");
      const { conflicts } = await roll(target);
      expect(conflicts.map(({ key, reason }) => `${key} ${reason}`)).toEqual([
        "2 is referenced by public.part (part_x_fkey)",
        "1 is referenced by public.whole (whole_x_fkey)",
      ]);
      expect(await textsOf(target, "x")).toHaveLength(2);
    },
  );

  it("leaves rows of tables that inherit from its table, whatever keys they have", async () => {
    const target = await cases.begin(
      "create table x (id integer primary key, v integer); create table heir () inherits (x); insert into heir values (1, 10), (2, 5)",
    );
    const { report } = await importX(target, "(1, 10), (2, 20)");
    expect(report).toMatchObject({ outcome: "verified", tables: [{ inserted: 2 }] });
    await target.rows("insert into heir values (3, 3)");
    expect(await roll(target)).toMatchObject({ conflicts: [], tables: [{ deleted: 2 }] });
    expect(await textsOf(target, "x")).toEqual(["(1,10)", "(2,5)", "(3,3)"]);
  });
});
