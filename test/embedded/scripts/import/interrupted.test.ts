import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { rollbackImport } from "../../../../scripts/import/run/rollback.ts";
import type { RunImportOptions } from "../../../../scripts/import/run/run-import.ts";
import { failureOf, type ImportCase, type ImportCases, startImportCases } from "./import-cases.ts";

let cases: ImportCases;
beforeAll(async () => {
  cases = await startImportCases();
});
afterAll(() => cases?.stop());

const tables = `create table owner (id uuid primary key, name text not null);
  create table item (id uuid primary key, owner_id uuid not null references owner (id), price numeric(10,2), made timestamptz);`;
const rowsOf = (
  count: number,
) => `create table owners (id integer primary key, name text); create table items (id integer primary key, owner integer, price real, made integer);
  with recursive n (value) as (select 1 union all select value + 1 from n where value < 100) insert into owners select value, 'owner ' || value from n;
  with recursive n (value) as (select 1 union all select value + 1 from n where value < ${count}) insert into items select value, value % 100 + 1, value / 4.0, 1700000000 + value from n;`;
const map = {
  // The keys depend on the namespace, which otherwise differs from database to database.
  namespace: "9b2cbf1a-3c34-4f43-8a4e-0c1f6f1c2a11",
  tables: [
    { to: "owner", from: "owners", columns: { id: { from: "id", key: "owner" }, name: "name" } },
    {
      to: "item",
      from: "items",
      columns: {
        id: { from: "id", key: "item" },
        owner_id: { from: "owner", key: "owner" },
        price: "price",
        made: "made",
      },
    },
  ],
};

/** Imports in another process that ends itself at a point; returns how it ended. */
async function importUntil({ connection }: ImportCase, file: string, point: string): Promise<string> {
  const options = { kind: "sqlite", path: file, connection, database: connection.database, map, batchRows: 1_000 };
  const program = path.join(import.meta.dirname, "importing-process.ts");
  const child = spawn(process.execPath, [program, JSON.stringify(options), point], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let printed = "";
  child.stdout.on("data", (data) => {
    printed += data;
  });
  const [, signal] = await once(child, "close");
  return signal ?? printed;
}

const contents =
  "select md5(string_agg(i::text, ',' order by i.id)) as items, (select md5(string_agg(o::text, ',' order by o.id)) from owner o) as owners, count(*)::int as n from item i";

describe("an import whose server is killed", () => {
  it("continues after the server's recovery, with the same result as an undisturbed run", async () => {
    const undisturbed = await cases.begin(tables);
    const file = undisturbed.sqlite(rowsOf(4_500));
    await undisturbed.run("sqlite", file, map);
    const expected = await undisturbed.rows(contents);
    const disturbed = await cases.begin(tables);
    const killed: string[] = [];
    for (const at of ["read", "load", "verify"]) {
      let crashed: Promise<void> | undefined;
      const crash = () => {
        crashed ??= cases.server.crash();
      };
      const options: Partial<RunImportOptions> = {
        batchRows: 1_000,
        onEvent: (event) => {
          if (at !== "load" && event.kind === "phase" && event.name === at) crash();
        },
        afterBatch: async (batch) => {
          if (at === "load" && batch === 3) crash();
        },
      };
      const error = await failureOf(disturbed.run("sqlite", file, map, options));
      await crashed;
      killed.push(`${at}: ${crashed === undefined ? error.message : "crashed"}`);
    }
    expect(killed).toEqual(["read: crashed", "load: crashed", "verify: crashed"]);
    const { report } = await disturbed.run("sqlite", file, map);
    expect(report.outcome).toBe("verified");
    expect(report.tables.map(({ inserted }) => inserted)).toEqual([100, 4_500]);
    expect(await disturbed.rows(contents)).toEqual(expected);
  });
});

describe("an import that is killed", () => {
  it("continues where it was, with the same result as an undisturbed run, and every row once", async () => {
    const undisturbed = await cases.begin(tables);
    const file = undisturbed.sqlite(rowsOf(4_500));
    await undisturbed.run("sqlite", file, map);
    const expected = await undisturbed.rows(contents);
    for (const points of [
      ["progress read"],
      ["phase validate", "batch 1"],
      ["batch 3", "batch 2"],
      ["phase record", "phase verify"],
    ]) {
      const disturbed = await cases.begin(tables);
      for (const point of points) expect(await importUntil(disturbed, file, point), point).toBe("SIGKILL");
      const { report } = await disturbed.run("sqlite", file, map);
      expect(report.outcome).toBe("verified");
      expect(report.tables.map(({ inserted }) => inserted)).toEqual([100, 4_500]);
      expect(await disturbed.rows(contents)).toEqual(expected);
      expect(await disturbed.rows("select count(*)::int as runs from pgroundwork.import_run")).toEqual([{ runs: 1 }]);
    }
  });

  it("can be rolled back in the middle of its load, without touching other rows", async () => {
    const disturbed = await cases.begin(`${tables} insert into owner values (gen_random_uuid(), 'before')`);
    const file = disturbed.sqlite(rowsOf(3_000));
    expect(await importUntil(disturbed, file, "batch 3")).toBe("SIGKILL");
    expect(await disturbed.rows("select count(*)::int as n from item")).toEqual([{ n: 2_000 }]);
    const { tables: removed } = await rollbackImport({ connection: disturbed.connection });
    expect(removed).toEqual([
      { table: "public.item", deleted: 2_000, restored: 0, gone: 0 },
      { table: "public.owner", deleted: 100, restored: 0, gone: 0 },
    ]);
    expect(await disturbed.rows("select name from owner")).toEqual([{ name: "before" }]);
    expect(await importUntil(disturbed, file, "phase validate")).toBe("SIGKILL");
    await rollbackImport({ connection: disturbed.connection });
    expect(await disturbed.rows("select relname from pg_class where relname like 'import_stage%'")).toEqual([]);
  });
});
