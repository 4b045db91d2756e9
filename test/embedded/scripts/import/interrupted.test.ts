import { existsSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { rollbackImport } from "../../../../scripts/import/run/rollback.ts";
import type { RunImportOptions } from "../../../../scripts/import/run/run-import.ts";
import { openSource } from "../../../../scripts/import/source/open-source.ts";
import { failureOf, type ImportCases, startImportCases } from "./import-cases.ts";
import { contents, importUntil, map, rowsOf, tables } from "./killed-import.ts";

let cases: ImportCases;
beforeAll(async () => {
  cases = await startImportCases();
});
afterAll(() => cases?.stop());

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

  it("can be rolled back before its load, although a column of its table was dropped since", async () => {
    const disturbed = await cases.begin(tables);
    const file = disturbed.sqlite(rowsOf(200));
    expect(await importUntil(disturbed, file, "phase validate")).toBe("SIGKILL");
    const stages = "select count(*)::int as n from pg_class where relname like 'import_stage_%' and relkind = 'r'";
    expect(await disturbed.rows(stages)).not.toEqual([{ n: 0 }]);
    await disturbed.rows("alter table item drop column made");
    const { tables: rolledBack } = await rollbackImport({ connection: disturbed.connection });
    expect(rolledBack.every(({ deleted, restored }) => deleted === 0 && restored === 0)).toBe(true);
    expect(await disturbed.rows(stages)).toEqual([{ n: 0 }]);
  });

  it("can be rolled back in the middle of its load, without touching other rows; the next import removes its copy of the source", async () => {
    const disturbed = await cases.begin(`${tables} insert into owner values (gen_random_uuid(), 'before')`);
    const file = disturbed.sqlite(rowsOf(3_000));
    const pids: (number | undefined)[] = [];
    // An import that lives, beside one that is killed.
    const living = await openSource("sqlite", file);
    expect(await importUntil(disturbed, file, "batch 3", pids)).toBe("SIGKILL");
    await (await openSource("sqlite", file)).close();
    const copies = readdirSync(tmpdir()).filter((name) => name.startsWith(`pgw-import.${pids[0]}-`));
    expect([copies, living.copies.map(({ path }) => existsSync(path))]).toEqual([[], [true]]);
    await living.close();
    expect(await disturbed.rows("select count(*)::int as n from item")).toEqual([{ n: 2_000 }]);
    const { tables: removed } = await rollbackImport({ connection: disturbed.connection });
    expect(removed).toEqual([
      { table: "public.item", deleted: 2_000, restored: 0, reinserted: 0, gone: 0 },
      { table: "public.owner", deleted: 100, restored: 0, reinserted: 0, gone: 0 },
    ]);
    expect(await disturbed.rows("select name from owner")).toEqual([{ name: "before" }]);
    expect(await importUntil(disturbed, file, "phase validate")).toBe("SIGKILL");
    await rollbackImport({ connection: disturbed.connection });
    expect(await disturbed.rows("select relname from pg_class where relname like 'import_stage%'")).toEqual([]);
  });
});
