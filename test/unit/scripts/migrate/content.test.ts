import { describe, expect, it } from "vitest";
import { contentFaults } from "../../../../scripts/migrate/content.ts";
import { runsOutsideTransaction } from "../../../../scripts/migrate/marks.ts";

function faults(text: string, kind: "up" | "down" = "up", start = 0): Promise<string[]> {
  const source = { file: "000001-x.sql", text, start };
  return contentFaults({ kind, source, transactional: true, encodingFault: undefined });
}

describe("the content of a migration", () => {
  it("is refused with file, line, caret and hint for every fault", async () => {
    const text = "--! Hash: x\n\n-- why\n  --! no-transation\ncreate table t ();\n\tcommit;\n\\d t\n";
    expect(await faults(text, "up", 13)).toEqual([
      [
        '000001-x.sql:4:3: the line "--! no-transation" is unknown',
        "  2 | ",
        "  3 | -- why",
        "  4 |   --! no-transation",
        "  " + "  |   ^",
        '  Hint: Lines that begin with --! are instructions. Did you mean "--! no-transaction"? A comment begins with -- and a space.',
      ].join("\n"),
      expect.stringMatching(/^000001-x\.sql:6:2: COMMIT ends the transaction of the file\n/),
      expect.stringMatching(/^000001-x\.sql:7:1: \\d is a command of psql, not SQL\n/),
    ]);
  });

  it.each([
    ["--! Title: x\nselect 1;", "1:1", "unknown"],
    ["--! include x.txt\nselect 1;", "1:1", "includes nothing"],
    ["--!include x.sql\nselect 1;", "1:1", "includes nothing"],
    ["-- note\n--! Message: late\nselect 1;", "2:1", "has no effect here"],
    ["select 1;\n--! no-transaction", "2:1", "has no effect after a statement"],
    ["--!\nselect 1;", "1:1", "unknown"],
    ["select 1; select\n--! what\n2;", "2:1", "unknown"],
  ])("must not contain the line in %j", async (text, place, message) => {
    const found = await faults(text);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(`000001-x.sql:${place}: `);
    expect(found[0]).toContain(message);
  });

  it("may contain its own marks, and anything inside of strings, functions and block comments", async () => {
    const text = [
      "--! no-transaction",
      "--! split: 1.sql",
      "--! Included a/b.sql",
      "do $$\n--! doc\nbegin end $$;",
      "--! EndIncluded a/b.sql",
      "/*\n--! doc\n*/ select '\n--! doc'; -- see --! doc",
    ].join("\n");
    expect(await faults(text)).toEqual([]);
  });

  it("of a down migration has other lines", async () => {
    expect(await faults("--! Irreversible: rows are gone\n", "down")).toEqual([]);
    expect(await faults("--! no-transaction\ndrop index concurrently i;", "down")).toEqual([]);
    expect((await faults("-- note\n--! Irreversible: x", "down"))[0]).toContain("has no effect here");
    expect((await faults("--! Message: x\nselect 1;", "down"))[0]).toContain("unknown");
  });
});

describe("--! no-transaction", () => {
  it.each([
    ["--! no-transaction\nvacuum;", true],
    ["--!no-transaction: because\nvacuum;", true],
    ["-- Why: see the notes.\n/* and\n more */\n\n--! no-transaction\nvacuum;", true],
    ["--! Included i.sql\n--! no-transaction\nvacuum;", true],
    ["vacuum;\n--! no-transaction", false],
    ["-- see --! no-transaction\nvacuum;", false],
    ["/*\n--! no-transaction\n*/ select 1;", false],
    ["select '\n--! no-transaction';", false],
    ["--! no-transactions\nvacuum;", false],
  ])("of %j counts: %s", (body, expected) => {
    expect(runsOutsideTransaction(body)).toBe(expected);
  });
});
