import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inferTables } from "../../../../scripts/import/infer/infer-import.ts";
import { openSource } from "../../../../scripts/import/source/open-source.ts";
import { type ImportCases, startImportCases } from "./import-cases.ts";

let cases: ImportCases;
beforeAll(async () => {
  cases = await startImportCases();
});
afterAll(() => cases?.stop());

describe("numbers of JSON", () => {
  it("are rejected by a float8 column that would round them", async () => {
    const { file, run, rows } = await cases.begin("create table item (id integer primary key, f float8)");
    const texts = [
      "9007199254740993",
      '{"$numberLong": "9007199254740993"}',
      "1e-400",
      "0.1",
      '{"$numberDouble": "NaN"}',
    ];
    const source = await file("items.json", `[${texts.map((text, id) => `{"id": ${id}, "f": ${text}}`).join(", ")}]`);
    const { report } = await run("json", source, {
      rejects: "skip",
      tables: [{ to: "item", from: "items", columns: { id: "id", f: "f" } }],
    });
    expect(report.outcome).toBe("verified");
    expect(report.rejects.map(({ key, problems }) => [key, problems[0]?.reason])).toEqual([
      ["0", "9007199254740993 has no exact float8 form; a numeric column holds it"],
      ["1", "9007199254740993 has no exact float8 form; a numeric column holds it"],
      ["2", "1e-400 has no exact float8 form; a numeric column holds it"],
    ]);
    expect(await rows("select f::text from item order by id")).toEqual([{ f: "0.1" }, { f: "NaN" }]);
  });

  it("get a numeric column from --infer if a double would round one, NaN and Infinity included", async () => {
    const { connection, file, run, rows } = await cases.begin("select 1");
    const numbers = ["NaN", "12345678901234567890.123456789", "-Infinity"];
    const documents = numbers.map((number, id) => `{"_id": ${id}, "m": {"$numberDecimal": "${number}"}}`);
    const path = await file("items.json", `[${documents.join(", ")}]`);
    const source = await openSource("json", path);
    const { up, map } = await inferTables({ connection, source });
    await source.close();
    await rows(up);
    const { report } = await run("json", path, map);
    expect([report.outcome, report.verify?.failures]).toEqual(["verified", []]);
    expect((await rows("select m::text from items order by 1")).map(({ m }) => m).sort()).toEqual(numbers.sort());
  });
});
