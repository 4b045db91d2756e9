import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inferTables } from "../../../../scripts/import/infer/infer-import.ts";
import { openSource } from "../../../../scripts/import/source/open-source.ts";
import { type ImportCases, startImportCases } from "./import-cases.ts";

let cases: ImportCases;
beforeAll(async () => {
  cases = await startImportCases();
});
afterAll(() => cases?.stop());

describe("a row that is too large for PostgreSQL", () => {
  it("is rejected if it has too many values, and other rows are imported", async () => {
    const names = Array.from({ length: 1_400 }, (_, index) => `c${index}`);
    const some = names.slice(0, 900);
    const { connection, rows, run, sqlite } = await cases.begin(
      `create table item (id integer primary key, ${names.map((name) => `${name} bigint`).join(", ")})`,
    );
    const file = sqlite(
      `create table items (id integer primary key, ${names.join(", ")});
       insert into items values (1, ${names.map(() => 99).join(", ")}); insert into items (id, c1399) values (2, 5);
       insert into items (id, ${some.join(", ")}) values (3, ${some.map(() => 7).join(", ")})`,
    );
    const source = await openSource("sqlite", file);
    const { unsure } = await inferTables({ connection, source }).finally(() => source.close());
    expect(unsure).toContain(
      "items: it has 1401 columns. A row with more than 8096 bytes besides long values will be rejected.",
    );
    const columns = Object.fromEntries(["id", ...names].map((name) => [name, name]));
    const { report } = await run("sqlite", file, { rejects: "skip", tables: [{ to: "item", from: "items", columns }] });
    expect([report.outcome, report.rejects.map(({ key, problems }) => [key, problems[0]?.reason])]).toEqual([
      "verified",
      [["1", "the row has too many values for one row of PostgreSQL, which holds 8096 bytes besides long values"]],
    ]);
    expect(await rows("select id from item order by id")).toEqual([{ id: 2 }, { id: 3 }]);
  });
});
