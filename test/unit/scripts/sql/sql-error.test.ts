import { describe, expect, it } from "vitest";
import { describeSqlError } from "../../../../scripts/sql/sql-error.ts";

const header = "--! Previous: -\n--! Hash: sha1:0\n\n";

/** Returns a position as the server counts: characters from 1 in the text that was sent. */
function positionOf(sent: string, needle: string): string {
  return String([...sent.slice(0, sent.indexOf(needle))].length + 1);
}

describe("an SQL error", () => {
  it("is shown with line and column of the file, caret, SQLSTATE, detail and hint", () => {
    const body = "select 1;\nselect nam from t;\n";
    const error = {
      message: 'column "nam" does not exist',
      code: "42703",
      position: positionOf(body, "nam"),
      hint: 'Perhaps you meant to reference the column "t.name".',
      detail: "Two\nlines.",
    };
    const source = { file: "000001-a.sql", text: header + body, start: header.length };
    expect(describeSqlError(error, source).text).toBe(
      [
        '000001-a.sql:5:8: column "nam" does not exist',
        "  3 | ",
        "  4 | select 1;",
        "  5 | select nam from t;",
        "    |        ^",
        "  SQLSTATE 42703",
        "  Detail: Two",
        "    lines.",
        '  Hint: Perhaps you meant to reference the column "t.name".',
      ].join("\n"),
    );
  });

  it("counts characters outside the basic plane as one, in position and caret", () => {
    const body = "select '🐘🐘', nam;\n";
    const { text, place } = describeSqlError(
      { message: "m", position: positionOf(body, "nam") },
      { file: "f.sql", text: body, start: 0 },
    );
    expect(place).toEqual({ line: 1, column: 14 });
    expect(text.split("\n").at(-1)).toBe(`    | ${" ".repeat(13)}^`);
  });

  it("has the column of the file if placeholders before it were replaced", () => {
    const body = "grant all on t to :OWNER;\nselect ':OWNER', ':OWNER', nam;\n";
    const compile = (sql: string) => sql.replaceAll(":OWNER", "the_role_that_owns_all");
    const error = { message: "m", position: positionOf(compile(body), "nam") };
    expect(
      describeSqlError(error, { file: "f.sql", text: header + body, start: header.length, compile }).place,
    ).toEqual({
      line: 5,
      column: 28,
    });
  });

  it("has the start of a replaced word as the position of an error inside it", () => {
    const compile = (sql: string) => sql.replaceAll(":NAME", "no such thing");
    const error = { message: "m", position: positionOf(compile("select :NAME"), "such") };
    expect(describeSqlError(error, { file: "f.sql", text: "select :NAME", start: 0, compile }).place).toEqual({
      line: 1,
      column: 8,
    });
  });

  it("without a position has that of the statement after the completed ones", () => {
    const text = "-- first\ninsert into a values (1);\n\n  -- second; third\n  insert into a values (1);\n";
    expect(describeSqlError({ message: "m" }, { file: "f.sql", text, start: 0 }, 1).place).toEqual({
      line: 5,
      column: 3,
    });
  });

  it("has no position if none is known", () => {
    expect(describeSqlError({ message: "m" }, { file: "f.sql", text: "select 1", start: 0 }).text).toBe("f.sql: m");
  });

  it("shows its position inside a function", () => {
    const error = {
      message: 'relation "x" does not exist',
      internalQuery: "select * from x",
      internalPosition: "15",
      where: "PL/pgSQL function f() line 3 at SQL statement",
    };
    expect(
      describeSqlError(error, { file: "f.sql", text: "select f()", start: 0 }, 0).text.split("\n").slice(3),
    ).toEqual([
      "  Where: PL/pgSQL function f() line 3 at SQL statement",
      "  In the statement:",
      "  1 | select * from x",
      "    |               ^",
    ]);
  });

  it("keeps the caret visible on a long line, and tabs as tabs", () => {
    const long = `select ${"1,".repeat(500)} nam;`;
    const lines = describeSqlError(
      { message: "m", position: positionOf(long, "nam") },
      { file: "f", text: long, start: 0 },
    ).text.split("\n");
    const [, shown = "", caret = ""] = lines;
    expect(shown.slice(caret.indexOf("^")).startsWith("nam")).toBe(true);
    expect(shown.length).toBeLessThan(180);
    const tabbed = describeSqlError({ message: "m", position: "9" }, { file: "f", text: "\tselect nam", start: 0 });
    expect(tabbed.text.split("\n").at(-1)).toBe("    | \t       ^");
  });
});
