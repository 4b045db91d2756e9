import { describe, expect, it } from "vitest";
import { removalsOf } from "../../../../scripts/migrate/down-statements.ts";

const removals = (sql: string) => removalsOf(sql, (text) => text.replaceAll(":DATABASE_NAME", "shop"));
const table = (name: string, schema?: string) => ({ kind: "table", schema, table: name });

describe("the removals of a down migration", () => {
  it.each([
    ['drop table a, audit."B" cascade', [table("a"), table("B", "audit")]],
    ["drop table if exists a", [table("a")]],
    ["truncate a, only audit.b", [table("a"), table("b", "audit")]],
    [
      "alter table audit.a drop column x, add column y int, drop column if exists z",
      ["x", "z"].map((column) => ({ kind: "column", column, schema: "audit", table: "a" })),
    ],
    ["drop schema audit, old cascade", ["audit", "old"].map((schema) => ({ kind: "schema", schema }))],
    ["drop extension citext", [{ kind: "extension", name: "citext" }]],
  ])("are tables, columns, schemas and extensions: %s", async (sql, expected) => {
    expect(await removals(sql)).toEqual(expected);
  });

  it.each([
    "drop schema audit",
    "drop index concurrently a_x",
    "drop view a cascade; drop materialized view b; drop foreign table c; drop sequence d",
    "drop function f(int) cascade; drop trigger t on a; drop policy p on a; drop type t",
    "create table a (x int); create index on a (x); create view v as select 1; create function f() returns int return 1",
    "alter table a rename to b; alter table a detach partition b; alter table a alter column x type bigint",
    "alter table a drop constraint c; alter type t add value 'x'; comment on table a is 'x'",
    "grant select on a to public; set search_path = x; analyze a; insert into a values (1) on conflict do nothing",
    "-- nothing but a comment",
  ])("are none for statements that keep all rows: %s", async (sql) => {
    expect(await removals(sql)).toEqual([]);
  });

  it.each([
    "delete from a",
    "update a set x = 1",
    "merge into a using b on a.x = b.x when matched then delete",
    "do $$ begin drop table a; end $$",
    "select forget('a')",
    "call forget('a')",
    "with gone as (delete from a returning x) insert into b select x from gone",
    "insert into a values (1) on conflict (x) do update set y = 1",
    "alter table a alter column x type int using length(x)",
    "alter type pair drop attribute x",
    "truncate a cascade",
    "drop type t cascade",
    "drop domain t cascade",
    "drop extension citext cascade",
    "drop owned by somebody",
    "this is no SQL",
  ])("are unknown if a statement does not show them: %s", async (sql) => {
    expect(await removals(`-- comment\n${sql};`)).toEqual([{ kind: "unknown", line: 2, statement: sql }]);
  });

  it("are found after placeholders are replaced, and a long statement is shortened", async () => {
    expect(await removals("drop table :DATABASE_NAME.a")).toEqual([table("a", "shop")]);
    const [found] = await removals(`delete from a\nwhere ${"x = 1 and ".repeat(20)}true`);
    expect(found).toMatchObject({ statement: expect.stringMatching(/^delete from a where x = 1 .{50,}…$/) as string });
  });
});
