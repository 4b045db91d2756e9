import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunImportOptions } from "../../../../scripts/import/run/run-import.ts";
import { failureOf, type ImportCase, type ImportCases, startImportCases } from "./import-cases.ts";

let cases: ImportCases;
beforeAll(async () => {
  cases = await startImportCases();
});
afterAll(() => cases?.stop());

const map = { tables: [{ to: "item", from: "items", columns: { id: "id", v: "v" } }] };
/** Ends a run when it begins to load, or after its first batch of one row. */
const interruption = (at: "load" | "batch"): Partial<RunImportOptions> => ({
  batchRows: 1,
  onEvent: (event) => {
    if (at === "load" && event.kind === "phase" && event.name === "load") throw new Error("interrupted");
  },
  afterBatch: async () => {
    if (at === "batch") throw new Error("interrupted");
  },
});

describe("an import that continues", () => {
  it("converts its rows again if a column of the target has another type since", async () => {
    const { run, rows, ...target } = await cases.begin("create table item (id integer primary key, v numeric(10,2))");
    const file = target.sqlite(
      "create table items (id integer primary key, v text); insert into items values (1, '1.25'), (2, '2')",
    );
    await failureOf(run("sqlite", file, { ...map, rejects: "skip" }, interruption("load")));
    await rows("alter table item alter v type numeric(10,1)");
    const { report } = await run("sqlite", file, { ...map, rejects: "skip" });
    expect([report.outcome, report.rejects.map(({ problems }) => problems[0]?.reason)]).toEqual([
      "verified",
      ["1.25 has more than 1 fraction digits: numeric(10,1) would round it"],
    ]);
    expect(await rows("select id, v from item")).toEqual([{ id: 2, v: "2.0" }]);
  });

  it("refuses to continue if rows are loaded, and a column has another type since", async () => {
    const { run, rows, ...target } = await cases.begin("create table item (id integer primary key, v numeric(10,2))");
    const file = target.sqlite(
      "create table items (id integer primary key, v text); insert into items values (1, '2'), (2, '1.25')",
    );
    await failureOf(run("sqlite", file, map, interruption("batch")));
    await rows("alter table item alter v type numeric(10,1)");
    const error = await failureOf(run("sqlite", file, map));
    expect(error.message).toContain("was interrupted: public.item.v.");
    await rows("alter table item alter v type numeric(10,2)");
    expect((await run("sqlite", file, map)).report.outcome).toBe("verified");
  });

  it("applies the policy for rejected rows of its own call", async () => {
    const { run, rows, ...target } = await cases.begin(
      "create table item (id integer primary key, v integer check (v < 5))",
    );
    const file = target.sqlite(
      "create table items (id integer primary key, v integer); insert into items values (1, 1), (2, 2), (3, 30)",
    );
    await failureOf(run("sqlite", file, map, { ...interruption("load"), maxRejects: 5 }));
    expect((await run("sqlite", file, map)).report.outcome).toBe("stopped");
    expect(await rows("select from item")).toEqual([]);
    await failureOf(run("sqlite", file, map, { ...interruption("batch"), maxRejects: 5 }));
    const error = await failureOf(run("sqlite", file, map));
    expect(error.message).toContain("rejected more rows than may be rejected now, and has loaded others");
    expect((await run("sqlite", file, map, { maxRejects: 5 })).report.outcome).toBe("verified");
  });
});

describe("a file of JSON that changes while it is imported", () => {
  const whole = '[{"id": 1, "v": 1}, {"id": 2, "v": 2}]';
  const changing = (target: ImportCase): Partial<RunImportOptions> => ({
    afterBatch: async () => void (await target.file("items.json", whole.slice(0, 10))),
  });

  it("ends the import without a proof, which the next import of the file as it was completes", async () => {
    const target = await cases.begin("create table item (id integer primary key, v integer)");
    const file = await target.file("items.json", whole);
    const { report } = await target.run("json", file, map, changing(target));
    expect(report).toMatchObject({
      outcome: "not verified",
      verify: { failures: [`the source is no longer what was imported: ${file} has changed`] },
    });
    expect(await target.rows("select from item")).toHaveLength(2);
    await target.file("items.json", whole);
    expect((await target.run("json", file, map)).report.outcome).toBe("verified");
  });

  it("ends it with an error, if it is read again, that does not say that nothing was imported", async () => {
    const target = await cases.begin("create table item (id integer primary key, v integer check (v < 2))");
    const file = await target.file("items.json", whole);
    // A row that was rejected after it was read has to be left out of what was read.
    const error = await failureOf(target.run("json", file, { ...map, rejects: "skip" }, changing(target)));
    expect(error).toMatchObject({
      message: `${file} has changed while it was imported.`,
      hint: expect.not.stringContaining("Nothing was imported"),
    });
    expect(await target.rows("select from item")).toHaveLength(1);
  });
});
