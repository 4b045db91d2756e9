import { existsSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withClient } from "../../../../scripts/connection/client.ts";
import { poll } from "../../../../scripts/core/poll.ts";
import type { ImportMap } from "../../../../scripts/import/map.ts";
import { rollbackImport } from "../../../../scripts/import/run/rollback.ts";
import type { RunImportOptions } from "../../../../scripts/import/run/run-import.ts";
import { openSource } from "../../../../scripts/import/source/open-source.ts";
import { listImports } from "../../../../scripts/import/verify-import.ts";
import { failureOf, type ImportCase, type ImportCases, startImportCases } from "./import-cases.ts";
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

const codes = "create table item (code text primary key, qty integer not null)";
const codeMap: ImportMap = { tables: [{ to: "item", from: "items", columns: { code: "code", qty: "qty" } }] };
/** Writes items whose quantities are given. */
const write = (target: ImportCase, quantities: readonly (number | string)[], name = "items.json") =>
  target.file(name, JSON.stringify(quantities.map((qty, index) => ({ code: `i${index + 1}`, qty }))));
/** Runs an import that ends with an error when it validates, or after its first batch of two rows. */
const interrupt = (target: ImportCase, file: string, at: "validate" | "batch", map = codeMap) =>
  failureOf(
    target.run("json", file, map, {
      batchRows: 2,
      afterBatch: async () => {
        if (at === "batch") throw new Error("interrupted");
      },
      onEvent: (event) => {
        if (event.kind === "phase" && event.name === at) throw new Error("interrupted");
      },
    }),
  );
const stages = "select relname from pg_class where relname like 'import_stage%'";
/** Phases of all runs, newest first, and if they have staged rows. */
const phases = async ({ connection }: ImportCase) =>
  (await listImports(connection)).map(({ phase, stagedBytes }) => (stagedBytes > 0 ? `${phase}, staged` : phase));

describe("an import of several batches", () => {
  it("loads them with two sessions, and commits none behind one that fails", async () => {
    const target = await cases.begin(codes);
    const file = await write(target, [...Array(100).keys()]);
    // The fifth batch waits for a row of someone else, and fails. Meanwhile, the other session has loaded the sixth.
    const blocked = `select from pg_stat_activity a join pg_stat_activity b using (datname, application_name)
      where a.application_name = 'pgroundwork import' and a.wait_event_type = 'Lock' and b.state = 'idle in transaction'`;
    const superuser = cases.server.connection(target.connection.database);
    const isBlocked = async () => {
      const { rowCount } = await withClient(superuser, (client) => client.query(blocked));
      return rowCount === 0 ? undefined : true;
    };
    const begun = Promise.withResolvers<void>();
    const insert = () =>
      withClient(target.connection, async (other) => {
        await other.query("begin; insert into item values ('i45', 1)");
        begun.resolve();
        const timedOut = () => new Error("no session is blocked while another one has loaded its batch");
        await poll(isBlocked, { intervalMs: 20, timeoutMs: 20_000, timedOut });
        await other.query("commit");
      });
    let inserted: Promise<void> | undefined;
    const afterBatch = async (batch: number) => {
      if (batch !== 1) return;
      inserted = insert();
      await begun.promise;
    };
    const error = await failureOf(target.run("json", file, codeMap, { batchRows: 10, afterBatch }));
    await inserted;
    expect(error.message).toMatch(/^public\.item refuses a row: duplicate key/);
    const state = "select count(*)::int as rows, (select progress::int from pgroundwork.import_table) from item";
    expect(await target.rows(state)).toEqual([{ rows: 41, progress: 40 }]);
    await target.rows("delete from item where code = 'i45'");
    const { report } = await target.run("json", file, codeMap, { batchRows: 10 });
    expect(report).toMatchObject({ outcome: "verified", tables: [{ inserted: 100 }] });
  });

  it("loads them one after the other if a trigger, or a number that the target gives, shows their order", async () => {
    const target = await cases.begin(
      "create table item (code text primary key, qty integer not null, no bigint generated always as identity)",
    );
    const file = await write(target, [...Array(100).keys()]);
    const { report } = await target.run("json", file, codeMap, { batchRows: 7 });
    expect(report.outcome).toBe("verified");
    expect(await target.rows("select count(*)::int as rows from item where no = qty + 1")).toEqual([{ rows: 100 }]);
  });
});

describe("an interrupted import whose source is corrected", () => {
  it("is replaced by the next import of the source, which says so and removes its staged rows", async () => {
    const target = await cases.begin(codes);
    const masked: ImportMap = { ...codeMap, rejects: "quarantine", mask: ["code"] };
    const file = await write(target, [1, "secret", 3]);
    await interrupt(target, file, "validate", masked);
    const [first] = await listImports(target.connection);
    expect(await phases(target)).toEqual(["staging, staged"]);
    // A dry run leaves it as it is.
    await write(target, [1, 2, 3]);
    await target.run("json", file, codeMap, { dryRun: true });
    expect(await phases(target)).toEqual(["staging, staged"]);
    const events: object[] = [];
    const onEvent = (event: { kind: string }) => (event.kind === "replaced" ? events.push(event) : undefined);
    const { report } = await target.run("json", file, codeMap, { onEvent });
    const replaced = { run: first?.id, loadedRows: 0 };
    expect(events).toEqual([{ kind: "replaced", ...replaced }]);
    expect(report).toMatchObject({ outcome: "verified", replaced: [replaced], tables: [{ inserted: 3 }] });
    expect([await phases(target), await target.rows(stages)]).toEqual([["verified", "stopped"], []]);
    expect(await target.rows("select staged from pgroundwork.import_reject")).toEqual([{ staged: null }]);
    expect((await target.run("json", file, codeMap)).report.replaced).toBeUndefined();
  });

  it("keeps the rows that it had loaded, each of them once, and both imports can be rolled back", async () => {
    const target = await cases.begin(codes);
    const file = await write(target, [1, 2, 3, 4, -5]);
    await interrupt(target, file, "batch");
    const [first] = await listImports(target.connection);
    await write(target, [1, 2, 3, 4, 5]);
    const { report } = await target.run("json", file, codeMap);
    expect(report).toMatchObject({
      outcome: "verified",
      replaced: [{ run: first?.id, loadedRows: 2 }],
      tables: [{ inserted: 3, unchanged: 2 }],
    });
    expect([await phases(target), await target.rows(stages)]).toEqual([["verified", "replaced"], []]);
    expect(await target.rows("select count(*)::int as n, sum(qty)::int as qty from item")).toEqual([{ n: 5, qty: 15 }]);
    // The former state of the source is imported again: what was replaced does not continue.
    await write(target, [1, 2, 3, 4, -5]);
    expect((await target.run("json", file, codeMap)).report).toMatchObject({ outcome: "stopped" });
    for (const [run, deleted] of [
      [report.run, 3],
      [first?.id, 2],
    ] as const)
      expect((await rollbackImport({ connection: target.connection, run })).tables).toMatchObject([{ deleted }]);
    expect([await phases(target), await target.rows("select * from item")]).toEqual([
      ["stopped", "rolled back", "rolled back"],
      [],
    ]);
  });

  it("is not replaced by an import of another source or table; its own rollback removes its staged rows", async () => {
    const target = await cases.begin(
      `${codes}; create table other (code text primary key, qty integer); create table mention (code text references item)`,
    );
    const file = await write(target, [1, 2, 3]);
    await interrupt(target, file, "batch");
    const named = await write(target, [1, 2, 4, 5], "later.json");
    const entry = { to: "item", from: "later", columns: { code: "code", qty: "qty" } };
    await target.run("json", named, { rejects: "skip", tables: [entry] });
    await target.run("json", file, { tables: codeMap.tables.map((each) => ({ ...each, to: "other" })) });
    expect(await phases(target)).toEqual(["verified", "verified", "loading, staged"]);
    const [, , first] = await listImports(target.connection);
    await target.rows("insert into mention values ('i1')");
    const roll = () => rollbackImport({ connection: target.connection, run: first?.id });
    // A rollback that is refused changes nothing, so the import could still continue.
    expect((await roll()).conflicts).toMatchObject([
      { key: "i1", reason: expect.stringContaining("is referenced by") },
    ]);
    expect(await phases(target)).toEqual(["verified", "verified", "loading, staged"]);
    await target.rows("delete from mention");
    expect((await roll()).tables).toMatchObject([{ deleted: 2 }]);
    expect([await phases(target), await target.rows(stages)]).toEqual([["verified", "verified", "rolled back"], []]);
  });
});
