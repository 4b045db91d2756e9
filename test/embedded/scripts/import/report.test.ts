import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeReport } from "../../../../scripts/cli/commands/import/text.ts";
import type { ImportMap } from "../../../../scripts/import/map.ts";
import { reportPage } from "../../../../scripts/import/run/report.ts";
import { rollbackImport } from "../../../../scripts/import/run/rollback.ts";
import { verifyImport } from "../../../../scripts/import/verify-import.ts";
import { failureOf, type ImportCases, startImportCases } from "./import-cases.ts";

let cases: ImportCases;
beforeAll(async () => {
  cases = await startImportCases();
});
afterAll(() => cases?.stop());

const family = `create table parent (code text primary key, n integer check (n > 0), note text);
  create table child (id text primary key, parent text references parent)`;
const familyMap: ImportMap = {
  rejects: "skip",
  tables: [
    { to: "parent", from: "family.parents", columns: { code: "code", n: "n", note: "note" } },
    { to: "child", from: "family.children", columns: { id: "id", parent: "parent" } },
  ],
};
/** Characters that a terminal obeys, or that a reader does not see. A report has line feeds of its own. */
const hidden = /(?!\n)[\p{Cc}\p{Cf}]/u;

describe("the report of an import", () => {
  it("shows hostile keys and values on one line, escaped and cut; rejects.jsonl has them as they are", async () => {
    const { file, run, rows, folder } = await cases.begin(family);
    const hostile = "a\u001b[31m\nred\u009b2J\u202e";
    const long = "x".repeat(1_000_000);
    const source = await file(
      "family.json",
      JSON.stringify({
        parents: [
          { code: hostile, n: 0 },
          { code: long, n: 0 },
          { code: "number", n: `9\u001b]0;title\u0007` },
        ],
        children: [
          { id: hostile, parent: hostile },
          { id: "two", parent: long },
          { id: "three", parent: "gone\r" },
          { id: "four\u200b", parent: null },
          { id: "four\u200b", parent: null },
        ],
      }),
    );
    const { report } = await run("json", source, familyMap, { reportFolder: folder });
    expect(report.tables.map(({ inserted, rejected }) => [inserted, rejected])).toEqual([
      [0, 3],
      [1, 4],
    ]);
    const shown = "a\\u001b[31m\\nred\\u009b2J\\u202e";
    const cut = "x".repeat(60);
    expect(report.rejects.map(({ key, problems }) => [key, problems[0]?.reason])).toEqual([
      [shown, "check parent_n_check: (n > 0)"],
      [`${"x".repeat(119)}…`, "check parent_n_check: (n > 0)"],
      ["number", 'text "9\\u001b]0;title\\u0007" is not of type integer'],
      [shown, `parent references public.parent ${shown}, which was rejected: check parent_n_check: (n > 0)`],
      ["two", `parent references public.parent ${cut}…, which was rejected: check parent_n_check: (n > 0)`],
      ["three", "parent references public.parent gone\\r, which does not exist"],
      ["four\\u200b", "another row of the source has the same key (child_pkey)"],
    ]);
    const text = describeReport("shop", { report, folder: undefined });
    expect([text, reportPage(report), JSON.stringify(report)].filter((each) => hidden.test(each))).toEqual([]);
    expect(text.split("\n").filter((line) => line.startsWith("rejected: "))).toHaveLength(7);
    const lines = readFileSync(path.join(folder, report.run, "rejects.jsonl"), "utf8")
      .trim()
      .split("\n");
    expect(lines.slice(0, 2).map((line) => JSON.parse(line).key)).toEqual([hostile, long]);
    // The ledger does not repeat a long key in the reason of each row that references it.
    expect(await rows("select max(length(problems::text)) < 500 as short from pgroundwork.import_reject")).toEqual([
      { short: true },
    ]);
  });

  it("shows no key or value of a masked field, neither of rejected rows nor of rows that differ", async () => {
    const { file, run, rows, folder, connection } = await cases.begin(family);
    const source = await file(
      "family.json",
      JSON.stringify({
        parents: [
          { code: "s3cret-1", n: 1, note: "s3cret-2" },
          { code: "s3cret-3", n: 0 },
        ],
        children: [
          { id: "c1", parent: "s3cret-3" },
          { id: "c2", parent: "s3cret-4" },
        ],
      }),
    );
    const masked = { ...familyMap, mask: ["code", "note", "parent"] };
    const { report } = await run("json", source, masked, { reportFolder: folder });
    expect(report.rejects.map(({ key, problems }) => [key, problems[0]?.reason])).toEqual([
      ["[masked]", "check parent_n_check: (n > 0)"],
      ["c1", "parent references public.parent (masked), which was rejected: check parent_n_check: (n > 0)"],
      ["c2", "parent references public.parent (masked), which does not exist"],
    ]);
    const files = ["report.json", "report.html", "rejects.jsonl"].map((name) =>
      readFileSync(path.join(folder, report.run, name), "utf8"),
    );
    expect(files.filter((content) => content.includes("s3cret"))).toEqual([]);
    await rows("update parent set note = 's3cret-5'");
    const { result } = await verifyImport({ connection, database: connection.database });
    expect(result.differences).toEqual([
      {
        table: "public.parent",
        key: "[masked]",
        column: "note",
        source: "[masked]",
        target: "[masked]",
        kind: "different",
      },
    ]);
    await rows("insert into child values ('c9', 's3cret-1')");
    // A rollback names the row that blocks it, because someone has to change it.
    expect((await rollbackImport({ connection })).conflicts[0]?.key).toBe("s3cret-1");
  });

  it("names the triggers that ran, generated columns and row security; tables are analyzed before it", async () => {
    const { sqlite, run, rows } = await cases.begin(
      `create table item (id integer primary key, qty integer, twice integer generated always as (qty * 2) stored, stamp text);
       create function stamp() returns trigger language plpgsql as $$ begin new.stamp := 'stamped'; return new; end $$;
       create trigger stamped before insert on item for each row execute function stamp();
       alter table item enable row level security`,
    );
    const file = sqlite(
      "create table item (id integer primary key, qty integer, stamp); insert into item values (1, 2, 'x'), (2, 3, 'y')",
    );
    const columns = { id: "id", qty: "qty", stamp: { from: "stamp", notCompared: "a trigger stamps it" } };
    const { report } = await run("sqlite", file, { tables: [{ to: "item", from: "item", columns }] });
    expect(report).toMatchObject({
      outcome: "verified",
      tables: [{ triggers: ["stamped"], generated: ["twice"], rowSecurity: true }],
      verify: { notCompared: [{ table: "public.item", column: "stamp", reason: "a trigger stamps it" }] },
    });
    const page = reportPage(report);
    expect(page).toContain("public.item: stamped");
    expect(page).toContain("<h2>Row security on the target</h2>");
    expect(await rows("select * from item where id = 2")).toEqual([{ id: 2, qty: 3, twice: 6, stamp: "stamped" }]);
    expect(await rows("select reltuples::int as rows from pg_class where relname = 'item'")).toEqual([{ rows: 2 }]);
  });

  it("does not call an import verified whose source changed meanwhile", async () => {
    const { file, run } = await cases.begin("create table item (id integer primary key)");
    const source = await file("items.json", '[{"id": 1}]');
    const map = { tables: [{ to: "item", from: "items", columns: { id: "id" } }] };
    const { report } = await run("json", source, map, {
      onEvent: (event) => {
        if (event.kind === "phase" && event.name === "verify") writeFileSync(source, '[{"id": 1} ]');
      },
    });
    expect(report).toMatchObject({
      outcome: "not verified",
      verify: { failures: [`the source is no longer what was imported: ${source} has changed`], differences: [] },
    });
  });

  it("can be missing if its folder cannot be written: the import has ended, and the database has the report", async () => {
    const { file, run, rows } = await cases.begin("create table item (id integer primary key)");
    const source = await file("items.json", '[{"id": 1}]');
    const map = { tables: [{ to: "item", from: "items", columns: { id: "id" } }] };
    const blocked = path.join(await file("a-file", ""), "reports");
    const error = await failureOf(run("json", source, map, { reportFolder: blocked }));
    expect(error).toMatchObject({
      message: expect.stringMatching(/^The report of import \S+ cannot be written to .*: ENOTDIR/),
      hint: expect.stringContaining("The import has ended (verified)."),
    });
    expect(await rows("select report ->> 'outcome' as outcome from pgroundwork.import_run")).toEqual([
      { outcome: "verified" },
    ]);
  });
});
