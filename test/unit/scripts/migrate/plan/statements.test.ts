import { describe, expect, it } from "vitest";
import { statementsOf } from "../../../../../scripts/migrate/plan/statements.ts";

const statements = (text: string, bodyStart = 0) =>
  statementsOf({ text, bodyStart }).map(({ line, lastLine, title }) => [line, lastLine, title]);

describe("the statements of a migration", () => {
  it("have line numbers of the whole file, and start after the comments before them", () => {
    const header = "--! Previous: -\n\n";
    expect(statements(`${header}-- what for\nselect 1; select 2;\n\nselect\n  3;\n`, header.length)).toEqual([
      [4, 4, "select 1"],
      [4, 4, "select 2"],
      [6, 7, "select 3"],
    ]);
  });

  it("are shown shortened to one line, without comments", () => {
    expect(statements("create table a ( -- the first\n  id int,\n\tb int\n);")).toEqual([
      [1, 4, "create table a ( id int, b int )"],
    ]);
    expect(statements(`select ${"x".repeat(200)}`)).toEqual([[1, 1, `select ${"x".repeat(112)}…`]]);
  });
});
