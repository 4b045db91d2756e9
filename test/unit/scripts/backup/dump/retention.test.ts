import { describe, expect, it } from "vitest";
import type { DumpMetadata } from "../../../../../scripts/backup/dump/metadata.ts";
import { expiredDumps, type Retention, type StoredDump } from "../../../../../scripts/backup/dump/store.ts";
import { metadataOf } from "./metadata.ts";

/** Returns a dump that ended on a day of November 2026, named after that day. */
function dumpOf(day: number, changed: Partial<StoredDump> = {}, metadata: Partial<DumpMetadata> = {}): StoredDump {
  const finishedAt = `2026-11-${String(day).padStart(2, "0")}T06:00:00.000Z`;
  const base = { id: String(day), path: "", state: "intact", reasons: [], damage: [] } as const;
  return { ...base, reasons: [], damage: [], metadata: metadataOf({ finishedAt, ...metadata }), ...changed };
}

const passed: Partial<StoredDump> = { validation: { state: "passed", at: "", reasons: [] } };
const damaged = { state: "damaged" } as const;

/** Returns the names of the dumps of `shop` that expire on a day, if dumps are kept for 5 days. */
function expired(dumps: StoredDump[], today = "2026-11-20", days: Retention = { days: 5 }): string[] {
  const now = new Date(`${today}T12:00:00Z`);
  return expiredDumps(dumps, { source: "local", database: "shop", scope: "full" }, days, now).map(({ id }) => id);
}

describe("retention", () => {
  it("removes dumps that are older than the time, damaged ones too", () => {
    expect(expired([dumpOf(20), dumpOf(16), dumpOf(14), dumpOf(13, damaged)])).toEqual(["14", "13"]);
  });

  it("keeps the newest intact dump, and the newest one that was loaded successfully", () => {
    const dumps = [dumpOf(12, damaged), dumpOf(11), dumpOf(10, passed), dumpOf(9, passed), dumpOf(8)];
    expect(expired(dumps)).toEqual(["12", "9", "8"]);
  });

  it("removes nothing if no dump is intact", () => {
    expect(expired([dumpOf(2, damaged), dumpOf(1, damaged)])).toEqual([]);
  });

  it("keeps a dump that can be loaded if the clock is 40 days ahead, and removes nothing if it is behind", () => {
    const dumps = [dumpOf(20), dumpOf(19, passed), dumpOf(18)];
    expect(expired(dumps, "2026-12-30")).toEqual(["18"]);
    expect(expired(dumps, "2026-10-11")).toEqual([]);
  });

  it("has a time of its own for scheduled dumps, which stay if it is not known", () => {
    const scheduled = (day: number) => dumpOf(day, {}, { reason: "scheduled" });
    const dumps = [dumpOf(20), scheduled(19), dumpOf(14), scheduled(13), scheduled(2)];
    expect(expired(dumps)).toEqual(["14"]);
    expect(expired(dumps, "2026-11-20", { days: 5, scheduledDays: 10 })).toEqual(["14", "2"]);
    expect(expired(dumps, "2026-11-20", { days: 100, scheduledDays: 3 })).toEqual(["13", "2"]);
  });

  it("does not count dumps of other databases, stacks or scopes, or without a description", () => {
    const others = [
      dumpOf(19, {}, { database: "other" }),
      dumpOf(19, {}, { source: "dev" }),
      dumpOf(19, {}, { scope: "schema" }),
      { id: "x", path: "", state: "damaged", reasons: [], damage: [] } as StoredDump,
    ];
    expect(expired([...others, dumpOf(3), dumpOf(2)])).toEqual(["2"]);
  });
});
