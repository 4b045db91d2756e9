import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ImportCases, startImportCases } from "./import-cases.ts";

let cases: ImportCases;
beforeAll(async () => {
  cases = await startImportCases();
});
afterAll(() => cases?.stop());

describe("a column whose type is a domain", () => {
  it("takes the values of the type under it, and rejects those that the domain refuses", async () => {
    const { sqlite, run, rows } = await cases.begin(
      `create domain pos as integer check (value > 0); create domain small_pos as pos check (value < 10);
       create domain flag as boolean; create domain price as numeric(10,2); create domain code as text not null;
       create domain made as timestamptz check (value > '2000-01-01'); create domain filled as text not null default 'x';
       create table item (id pos primary key, n small_pos, f flag, p price, c code, m made, o oid, d filled)`,
    );
    const file = sqlite(
      `create table items (id integer primary key, n, f, p, c, m, o);
       insert into items values (1, 5, 1, 1.5, 'a', 1704164645, 4294967295), (2, -5, 0, 1, 'b', null, null), (3, 10, null, 1, 'c', null, null),
         (4, 1, null, 1.234, 'd', null, null), (5, null, null, null, null, null, null), (6, 'x', null, null, 'f', '1999-01-01', -1)`,
    );
    const columns = { id: "id", n: "n", f: "f", p: "p", c: "c", m: "m", o: "o" };
    const { report } = await run("sqlite", file, { rejects: "skip", tables: [{ to: "item", from: "items", columns }] });
    expect([report.outcome, report.verify?.failures]).toEqual(["verified", []]);
    expect(report.rejects.map(({ key, problems }) => [key, ...problems.map(({ reason }) => reason)])).toEqual([
      ["2", "n is not of type small_pos: -5"],
      ["3", "n is not of type small_pos: 10"],
      ["4", "1.234 has more than 2 fraction digits: numeric(10,2) would round it"],
      ["5", "the target requires a value in c"],
      ["6", 'text "x" is not of type small_pos', "-1 is out of range for oid"],
    ]);
    expect(await rows("select id, n, f, p, c, o::text, d from item")).toEqual([
      { id: 1, n: 5, f: true, p: "1.50", c: "a", o: "4294967295", d: "x" },
    ]);
  });

  it("has to be mapped if the domain requires a value", async () => {
    const { sqlite, run } = await cases.begin(
      "create domain code as text not null; create table item (id integer primary key, c code)",
    );
    const file = sqlite("create table items (id integer primary key); insert into items values (1)");
    const work = run("sqlite", file, { tables: [{ to: "item", from: "items", columns: { id: "id" } }] });
    await expect(work).rejects.toThrow("column c is required and not mapped");
  });
});
