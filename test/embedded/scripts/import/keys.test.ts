import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { rollbackImport } from "../../../../scripts/import/run/rollback.ts";
import { type ImportCases, startImportCases } from "./import-cases.ts";

let cases: ImportCases;
beforeAll(async () => {
  cases = await startImportCases();
});
afterAll(() => cases?.stop());

describe("keys of several texts", () => {
  it("stay apart if their texts have the separator of keys", async () => {
    const { connection, file, run, rows } = await cases.begin(
      "create table item (a text, b text, n integer check (n < 9), primary key (a, b))",
    );
    const keys = [
      ["a", "b\u001fc"],
      ["a\u001fb", "c"],
      ["a\u001e1b", "c"],
      ["a\u001e", "\u001fc"],
      ["bad\u001f", "key"],
    ];
    const source = await file("items.json", JSON.stringify(keys.map(([a, b], n) => ({ a, b, n: n === 4 ? 9 : n }))));
    const { report } = await run("json", source, {
      rejects: "skip",
      tables: [{ to: "item", from: "items", columns: { a: "a", b: "b", n: "n" } }],
    });
    expect([report.outcome, report.verify?.failures]).toEqual(["verified", []]);
    expect(report.rejects.map(({ key }) => key)).toEqual(["bad\\u001f, key"]);
    const { tables, conflicts } = await rollbackImport({ connection });
    expect([tables[0]?.deleted, conflicts]).toEqual([4, []]);
    expect(await rows("select from item")).toEqual([]);
  });
});

describe("a row that exists in the target", () => {
  it("is updated if PostgreSQL calls its values equal, and they are written differently", async () => {
    const { file, run, rows } = await cases.begin(
      `create collation ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
       create table item (id integer primary key, j jsonb, n numeric, f float8, v text collate ci, a numeric[]);
       insert into item values (1, '{"a": 1.0}', 1.0, 0, 'A', '{1.0}'), (2, '{"a": 1.0}', 1.0, 0, 'A', '{1.0}')`,
    );
    const source = await file(
      "items.json",
      `[{"id": 1, "j": {"a": 1.00}, "n": 1.00, "f": -0.0, "v": "a", "a": [1.00]},
        {"id": 2, "j": {"a": 1.0}, "n": 1.0, "f": 0, "v": "A", "a": [1.0]}]`,
    );
    const map = {
      existing: "update" as const,
      tables: [{ to: "item", from: "items", columns: { id: "id", j: "j", n: "n", f: "f", v: "v", a: "a" } }],
    };
    const { report } = await run("json", source, map);
    expect([report.outcome, report.tables[0]?.updated, report.tables[0]?.unchanged]).toEqual(["verified", 1, 1]);
    expect(await rows("select j::text, n, f::text, v, a::text from item where id = 1")).toEqual([
      { j: '{"a": 1.00}', n: "1.00", f: "-0", v: "a", a: "{1.00}" },
    ]);
  });
});
