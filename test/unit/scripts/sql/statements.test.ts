import { describe, expect, it } from "vitest";
import { statementSpans } from "../../../../scripts/sql/statements.ts";

function statements(sql: string): string[] {
  return statementSpans(sql).map(({ start, end }) => sql.slice(start, end));
}

describe("the statements of an SQL text", () => {
  it.each<[string, string, string[]]>([
    ["a semicolon in a string", "select ';', 'it''s; ' ; select 2", ["select ';', 'it''s; '", "select 2"]],
    ["a semicolon after an escaped quote", "select e'\\';'; select 2", ["select e'\\';'", "select 2"]],
    ["a plain string that ends in a backslash", "select '\\'; select 2", ["select '\\'", "select 2"]],
    ["a semicolon in a quoted name", 'select 1 as ";"; select 2', ['select 1 as ";"', "select 2"]],
    ["dollar quotes with a tag", "do $x$ begin; $$;$$ end $x$; select 2", ["do $x$ begin; $$;$$ end $x$", "select 2"]],
    ["a parameter that is not a dollar quote", "select $1; select $2", ["select $1", "select $2"]],
    ["comments", "-- a; b\nselect 1 /* ; /* ; */ ; */; -- end;\n/* only */ ;; select 2\n", ["select 1", "select 2"]],
    [
      "a rule's list in parentheses",
      "create rule r as on insert to t do (delete from a; delete from b); select 2",
      ["create rule r as on insert to t do (delete from a; delete from b)", "select 2"],
    ],
    [
      "a function with an SQL body",
      "create or replace function f() returns int begin atomic select case when true then 1 end; select 2; end; select 3",
      [
        "create or replace function f() returns int begin atomic select case when true then 1 end; select 2; end",
        "select 3",
      ],
    ],
    ["a transaction's begin", "begin; select 1; end; select 2", ["begin", "select 1", "end", "select 2"]],
    ["a dollar inside a name", "select a$b$c; select 2", ["select a$b$c", "select 2"]],
    ["nothing but comments", "-- nothing\n/* at all */", []],
  ])("are split correctly with %s", (_, sql, expected) => {
    const found = statements(sql);
    expect(found).toEqual(expected);
  });
});
