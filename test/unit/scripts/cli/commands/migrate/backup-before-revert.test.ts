import { expect, it } from "vitest";
import type { Snapshot } from "../../../../../../scripts/backup/snapshot/snapshots.ts";
import { expiredSnapshots } from "../../../../../../scripts/cli/commands/migrate/backup-before-revert.ts";

const snapshot = (name: string, at: string, kind: Snapshot["kind"] = "snapshot"): Snapshot => ({
  ...{ kind, name, at: `${at}T00:00:00.000Z` },
  ...{ of: "shop", database: `shop_snapshot_${name}`, bytes: 1 },
});

it("a revert drops the snapshots of earlier reverts that are too old, but never the newest or one of another kind", () => {
  const now = new Date("2026-11-29T00:00:00Z");
  const snapshots = [
    snapshot("before_down_3", "2026-10-02"),
    snapshot("before_down_2", "2026-10-01"),
    snapshot("before_down_1", "2026-09-01"),
    snapshot("mine", "2026-01-01"),
    snapshot("before_down_branch", "2026-01-01", "branch"),
  ];
  const names = (days: number, given: Snapshot[]) => expiredSnapshots(given, days, now).map(({ name }) => name);
  expect(names(30, snapshots)).toEqual(["before_down_2", "before_down_1"]);
  expect(names(60, snapshots)).toEqual(["before_down_1"]);
  expect(names(30, [snapshot("before_down_4", "2026-11-28"), ...snapshots])).toEqual([
    "before_down_3",
    "before_down_2",
    "before_down_1",
  ]);
});
