import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectionUrl } from "../../../../scripts/connection/connection.ts";
import { cloneRoot } from "../../../clone-root.ts";
import { type ImportCase, type ImportCases, startImportCases } from "./import-cases.ts";

let cases: ImportCases;
let target: ImportCase;
beforeAll(async () => {
  cases = await startImportCases();
  target = await cases.begin("create table item (id uuid primary key, qty integer not null)");
  target.sqlite("create table item (id integer primary key, qty); insert into item values (1, 5), (2, 'many'), (3, 7)");
  await target.file(
    "map.json",
    JSON.stringify({
      tables: [{ to: "item", from: "item", columns: { id: { from: "id", key: "item" }, qty: "qty" } }],
    }),
  );
});
afterAll(() => cases?.stop());

/** Runs `pgw import` on the case's database. */
function pgw(...words: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const { password = "", ...connection } = target.connection;
  const args = [
    path.join(cloneRoot, "scripts/pgw.mjs"),
    "import",
    ...words,
    "-d",
    "learning",
    "--url",
    connectionUrl(connection),
  ];
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      args,
      { env: { ...process.env, PGPASSWORD: password } },
      (_, stdout, stderr) => resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

describe("pgw import", () => {
  it("imports, reports, compares and rolls back, with the exit codes of its answers", async () => {
    const source = path.join(target.folder, "source.db");
    const map = path.join(target.folder, "map.json");
    const stopped = await pgw("sqlite", source, "--map", map);
    expect([stopped.code, stopped.stdout]).toEqual([
      1,
      expect.stringContaining("stopped because of rejected rows; nothing was imported"),
    ]);
    expect(stopped.stdout).toContain("rejected: item, row 2");
    const some = await pgw("sqlite", source, "--map", map, "--max-rejects", "50%", "--json");
    expect(some.code).toBe(5);
    const { outcome, tables, folder } = JSON.parse(some.stdout);
    expect([outcome, tables[0].inserted, tables[0].rejected]).toEqual(["verified", 2, 1]);
    expect(readFileSync(path.join(folder, "report.html"), "utf8")).toContain("<h1>Import into learning: verified</h1>");
    expect((await pgw("list")).stdout).toContain("verified");
    expect((await pgw("report")).stdout).toContain(
      "verified: counts, checksums of all compared columns, sums and foreign keys agree",
    );
    expect((await pgw("verify")).code).toBe(0);
    const unconfirmed = await pgw("rollback");
    expect([unconfirmed.code, unconfirmed.stderr]).toEqual([3, expect.stringContaining("Add --yes.")]);
    await target.rows("update item set qty = 6 where qty = 5");
    const differs = await pgw("verify");
    expect([differs.code, differs.stdout]).toEqual([
      5,
      expect.stringContaining('"5" in the source, "6" in the target'),
    ]);
    const refused = await pgw("rollback", "--yes");
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("was changed after the import")]);
    await target.rows("update item set qty = 5 where qty = 6");
    expect((await pgw("rollback", "--yes")).code).toBe(0);
    expect(await target.rows("select * from item")).toEqual([]);
  });

  it("writes an inferred map that the next import can read, and replaces none without being told", async () => {
    const source = path.join(target.folder, "source.db");
    const map = path.join(target.folder, "inferred.ts");
    const written = await pgw("sqlite", source, "--infer", "--map", map);
    expect([written.code, written.stdout]).toEqual([0, expect.stringContaining("UUIDs are made from its values")]);
    const text = readFileSync(map, "utf8");
    expect(text).toContain(" * - item -> item.qty: it has texts");
    const again = await pgw("sqlite", source, "--infer", "--map", map);
    expect([again.code, again.stderr]).toEqual([3, expect.stringContaining("exists already. Nothing was written.")]);
    expect(readFileSync(map, "utf8")).toBe(text);
    expect((await pgw("sqlite", source, "--infer", "--map", map, "--overwrite")).code).toBe(0);
    const imported = await pgw("sqlite", source, "--map", map, "--max-rejects", "1", "--dry-run", "--json");
    expect([imported.code, JSON.parse(imported.stdout).tables[0].rejected]).toEqual([5, 1]);
  });

  it("prints the migration and the map of --create in a dry run, and writes nothing", async () => {
    const source = target.sqlite("create table made (id integer primary key, note text)", "other.db");
    const map = path.join(target.folder, "made.json");
    const shown = await pgw("sqlite", source, "--infer", "--create", "--dry-run", "--map", map, "--json");
    expect(shown.code).toBe(0);
    const { up, down, written, tables } = JSON.parse(shown.stdout);
    expect([written, tables]).toEqual([false, [{ from: "made", to: "made" }]]);
    expect(up).toContain('create table "made" (');
    expect(down).toContain('drop table "made";');
    expect([existsSync(map), await target.rows("select to_regclass('made') as made")]).toEqual([
      false,
      [{ made: null }],
    ]);
    const alone = await pgw("sqlite", source, "--create");
    expect([alone.code, alone.stderr]).toEqual([2, expect.stringContaining("--create needs --infer.")]);
  });

  it("prints one error without a stack trace for a source or map that does not exist", async () => {
    const map = path.join(target.folder, "map.json");
    const missing = await pgw("sqlite", "/nowhere/x.db", "--map", map, "--json");
    expect([missing.code, JSON.parse(missing.stdout).error.message]).toEqual([1, "/nowhere/x.db does not exist."]);
    const none = await pgw("sqlite", "/nowhere/x.db", "--map", "/nowhere/map.json");
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining("The map /nowhere/map.json does not exist.")]);
    expect(none.stderr).not.toContain("at ");
  });
});
