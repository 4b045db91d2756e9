import { execFile } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { rename } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectionUrl } from "../../../../scripts/connection/connection.ts";
import { cloneRoot } from "../../../clone-root.ts";
import { failureOf, type ImportCase, type ImportCases, makeSqlite, startImportCases } from "./import-cases.ts";

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

  it("compares with the kept copy if the source is gone, and imports later changes of the named collections", async () => {
    const source = path.join(target.folder, "source.db");
    const map = path.join(target.folder, "map.json");
    const options = ["--map", map, "--max-rejects", "1", "--json"];
    const first = JSON.parse((await pgw("sqlite", source, ...options)).stdout);
    expect(statSync(path.join(first.source.kept, "source.db.gz")).mode & 0o777).toBe(0o600);
    await rename(source, `${source}.moved`);
    const kept = await pgw("verify", "--json");
    expect([kept.code, JSON.parse(kept.stdout).source]).toEqual([0, first.source.kept]);
    const live = await pgw("verify", "--live");
    expect([live.code, live.stderr]).toEqual([1, expect.stringContaining(`${source} does not exist.`)]);
    await rename(`${source}.moved`, source);
    makeSqlite(source, "update item set qty = 8 where id = 3");
    const changed = await pgw("verify", "--live");
    expect([changed.code, changed.stdout]).toEqual([
      5,
      expect.stringContaining("public.item: 1 changed in the source"),
    ]);
    const unknown = await pgw("sqlite", source, ...options, "--only", "itme");
    expect([unknown.code, unknown.stdout]).toEqual([2, expect.stringContaining('itme; is it \\"item\\"?')]);
    const later = await pgw("sqlite", source, ...options, "--changes", "--only", "item", "--no-keep-source");
    const report = JSON.parse(later.stdout);
    expect([later.code, report.tables[0].updated, report.source.kept]).toEqual([5, 1, null]);
    const same = await pgw("verify", "--live");
    expect([same.code, same.stdout]).toEqual([0, expect.stringContaining("equal: every row of the source")]);
    makeSqlite(source, "delete from item where id = 1");
    const unmerged = await pgw("sqlite", source, "--map", map, "--delete-missing");
    expect([unmerged.code, unmerged.stderr]).toEqual([2, expect.stringContaining("--delete-missing needs --changes.")]);
    const deleting = ["sqlite", source, "--map", map, "--max-rejects", "1", "--changes", "--delete-missing"];
    const few = await pgw(...deleting, "--max-delete", "0");
    expect([few.code, few.stderr]).toEqual([3, expect.stringContaining("- public.item: 1 of 2 rows (50%)")]);
    const deleted = await pgw(...deleting);
    expect([deleted.code, deleted.stdout]).toEqual([
      5,
      expect.stringContaining("no longer in the source: public.item: 1 deleted"),
    ]);
    expect(await target.rows("select qty from item")).toEqual([{ qty: 8 }]);
    expect((await pgw("rollback", "--yes")).stdout).toContain("inserted again");
    makeSqlite(source, "insert into item values (1, 5)");
    for (const { run } of [report, first]) expect((await pgw("rollback", run, "--yes")).code).toBe(0);
    makeSqlite(source, "update item set qty = 7 where id = 3");
  });

  it("lists what an interrupted import keeps with its size, and says what replaces or removes it", async () => {
    const source = path.join(target.folder, "source.db");
    const map = path.join(target.folder, "map.json");
    const json = JSON.parse(readFileSync(map, "utf8"));
    const interrupt = () =>
      failureOf(
        target.run("sqlite", source, json, {
          onEvent: (event) => {
            if (event.kind === "phase" && event.name === "validate") throw new Error("interrupted");
          },
        }),
      );
    await interrupt();
    const [kept] = JSON.parse((await pgw("list", "--json")).stdout).imports;
    expect(kept.phase).toBe("staging");
    expect(kept.stagedBytes).toBeGreaterThan(8_000);
    const listed = (await pgw("list")).stdout;
    expect(listed).toMatch(/staging +\S+Z +\d[\d.]* kB /);
    expect(listed).toContain("run `import rollback <run>`");
    expect((await pgw("rollback", kept.id, "--yes")).code).toBe(0);
    expect((await pgw("list")).stdout).not.toContain("staged");
    await interrupt();
    makeSqlite(source, "update item set qty = 9 where id = 2");
    const { code, stderr } = await pgw("sqlite", source, "--map", map, "--no-keep-source");
    expect([code, stderr]).toEqual([0, expect.stringMatching(/this run replaces import \S+, which was interrupted/)]);
    expect((await pgw("rollback", "--yes")).code).toBe(0);
    makeSqlite(source, "update item set qty = 'many' where id = 2");
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
