import { expect, it } from "vitest";
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
