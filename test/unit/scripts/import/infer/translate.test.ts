import { describe, expect, it } from "vitest";
import type { ChosenType, Family } from "../../../../../scripts/import/infer/choose-type.ts";
import { translateCondition } from "../../../../../scripts/import/infer/translate-check.ts";
import { translateDefault } from "../../../../../scripts/import/infer/translate-default.ts";
import { readIndexCondition, readTableText } from "../../../../../scripts/import/source/sqlite/ddl-tokens.ts";

const families: Record<string, Family> = {
  n: "integer",
  r: "double",
  t: "text",
  b: "boolean",
  blob: "bytea",
  j: "jsonb",
  d: "date",
  nocase: "text",
};
const columns = new Map(
  Object.entries(families).map(([name, family]) => [
    name,
    { target: name.toUpperCase(), family, collation: name === "nocase" ? "NOCASE" : "BINARY" },
  ]),
);

describe("a condition of SQLite", () => {
  it.each([
    ["n > 0", '"N" > 0'],
    ["n>=-1.5 AND [r] <> 3 or not n = 2", '(("N" >= -1.5 and "R" <> 3) or not ("N" = 2))'],
    ["t in ('a', 'b''c') -- note", `"T" in ('a', 'b''c')`],
    ["n BETWEEN 1 AND 5", '("N" >= 1 and "N" <= 5)'],
    ["n not between 1 and 5", 'not ("N" >= 1 and "N" <= 5)'],
    ["t < 'b'", `"T" collate "C" < 'b'`],
    ["length(t) <= 5", 'length("T") <= 5'],
    ["(n is null) = 0", undefined],
    ["(n is not null) and ((n) == 1)", '("N" is not null and "N" = 1)'],
    ["n notnull", '"N" is not null'],
    ["b in (0, 1)", "true"],
    ["b = 1", '"B"'],
    ["typeof(n) = 'integer'", '"N" is not null'],
  ])("%s becomes %s", (sql, expected) => {
    expect(translateCondition(sql, columns)).toBe(expected);
  });

  it.each([
    "t = 5",
    "n = '5'",
    "t like 'a%'",
    "t glob 'a*'",
    "n / 2 = 1",
    "nocase = 'a'",
    "length(n) = 1",
    "length(blob) > 1",
    "typeof(n) = 'text'",
    "b = 2",
    "b in (0)",
    "j = 1",
    "d > '2024-01-01'",
    't = "no column"',
    "n = 0x1F",
    "unknown = 1",
    "n in (select 1)",
    "n = 1; drop table x",
    "n",
    "",
  ])("%s is not translated, because its meaning is not certain", (sql) => {
    expect(translateCondition(sql, columns)).toBeUndefined();
  });
});

const type = (family: Family, sql: string = family): ChosenType => ({ family, sql, unsure: [] });

describe("a default of SQLite", () => {
  it.each([
    ["0", type("integer", "bigint"), "0"],
    ["'7'", type("integer", "bigint"), "7"],
    ["'x'", type("integer", "bigint"), undefined],
    ["0x10", type("integer", "bigint"), "16"],
    ["1", type("boolean"), "true"],
    ["TRUE", type("boolean"), "true"],
    ["2", type("boolean"), undefined],
    ["false", type("numeric"), "0"],
    ["-1.5", type("numeric"), "-1.5"],
    ["NULL", type("text"), null],
    ['"it\'s"', type("text"), "'it''s'"],
    ["'a\\b'", type("text"), "E'a\\\\b'"],
    ["5", type("text"), "'5'"],
    ["'abc'", type("text", "varchar(2)"), undefined],
    ["x'00FF'", type("bytea"), "'\\x00ff'"],
    ["CURRENT_TIMESTAMP", type("timestamptz"), "date_trunc('second', now())"],
    ["(datetime('now'))", type("text"), "to_char(now() at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS')"],
    ["CURRENT_TIMESTAMP", type("integer", "bigint"), undefined],
    ["'2024-02-30'", type("date"), undefined],
    ["'2024-02-29'", type("date"), "'2024-02-29'"],
    ["'{bad'", type("json"), undefined],
    ["random()", type("integer", "bigint"), undefined],
    ["1 + 2", type("integer", "bigint"), undefined],
  ])("%s", (expression, of, expected) => {
    expect(translateDefault(expression, of)).toBe(expected);
  });
});

describe("the text of a SQLite table", () => {
  it("gives checks, generated columns, collations and deferred keys, whatever quotes and comments it has", () => {
    const text = readTableText(`create table "a (b" ( -- check (no)
      [x,y] text collate nocase check ([x,y] <> 'check (''') /* check (no) */ default ')',
      g int generated always as (length([x,y]) + (1)) stored, h as ('a)b'),
      p int references other (id) deferrable initially deferred, q int references other (id) not deferrable initially deferred,
      constraint "c" check (p > 0), foreign key (p, q) references third (a, b))`);
    expect(text.checks).toEqual(["[x,y] <> 'check ('''", "p > 0"]);
    expect([...text.generated]).toEqual([
      ["g", "length([x,y]) + (1)"],
      ["h", "'a)b'"],
    ]);
    expect([...text.collations]).toEqual([["x,y", "NOCASE"]]);
    expect(text.deferred).toEqual([true, false, false]);
    expect(readIndexCondition("create index i on t (a, (b where)) where a > 'where'")).toBe("a > 'where'");
    expect(readIndexCondition("create index i on t (a)")).toBeUndefined();
  });
});
