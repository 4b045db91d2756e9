import { describe, expect, it } from "vitest";
import { dropIndex } from "../../../../scripts/doctor/drop-index.ts";
import { fix } from "../../../../scripts/doctor/fix.ts";

it("a fix limits its waits for locks, except those of statements that work concurrently", () => {
  const { statements, revert } = fix(
    ["reindex index concurrently a", "drop index concurrently b", "alter collation c refresh version"],
    "none",
    ["create index on t (concurrently)", "create unique index concurrently d on t (x)"],
  );
  expect(statements).toEqual([
    "set lock_timeout = 0",
    "reindex index concurrently a",
    "drop index concurrently b",
    "set lock_timeout = '5s'",
    "alter collation c refresh version",
  ]);
  expect(revert).toEqual([
    "set lock_timeout = '5s'",
    "create index on t (concurrently)",
    "set lock_timeout = 0",
    "create unique index concurrently d on t (x)",
  ]);
});

describe("a fix sets no limit for a statement that works concurrently,", () => {
  it.each([
    "CREATE INDEX CONCURRENTLY a ON t USING btree (x)",
    "CREATE UNIQUE INDEX CONCURRENTLY a ON t USING btree (x)",
    "create\n  unique\tindex  concurrently if not exists a on t (x)",
    "-- again\ncreate /* not /* only */ this */ index concurrently on t (x)",
    "/* a */ Drop Index Concurrently a",
    "reindex (verbose, tablespace fast) table concurrently t",
    "reindex (verbose, concurrently) index a",
    "REINDEX (CONCURRENTLY) INDEX a",
  ])("as in %j", (statement) => {
    expect(fix([statement], "none").statements).toEqual(["set lock_timeout = 0", statement]);
  });

  it.each([
    'create index "concurrently" on t (x)',
    "create index /* concurrently */ a on t (x)",
    "create index a -- concurrently\n on t (x)",
    "create index a on t (concurrently)",
    "reindex (verbose) index a",
    "reindex index a",
    "drop index a",
    "select 'create index concurrently'",
  ])("but for %j", (statement) => {
    expect(fix([statement], "none").statements).toEqual(["set lock_timeout = '5s'", statement]);
  });
});

it("creates a dropped index again without a limit, because one that waits too long would be invalid", () => {
  const definition = "CREATE UNIQUE INDEX a ON public.t USING btree (x)";
  const { revert } = dropIndex({ index: "public.a", table: "public.t", definition, isPartitioned: false });
  expect(revert).toEqual(["set lock_timeout = 0", "CREATE UNIQUE INDEX CONCURRENTLY a ON public.t USING btree (x)"]);
});
