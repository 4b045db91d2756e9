import { describe, expect, it } from "vitest";
import { backupIntervals, longestInterval } from "../../../../scripts/model/schedule.ts";

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

describe("the longest interval of a schedule", () => {
  it.each([
    ["0 2 * * *", day],
    ["0 */6 * * *", 6 * hour],
    ["*/10 * * * *", 10 * minute],
    ["30 1,13 * * *", 12 * hour],
    // The longest interval is the night.
    ["0 8-18 * * *", 14 * hour],
    ["0 8-18/5 * * *", 14 * hour],
    ["50-59/3 * * * *", 51 * minute],
    ["0 3 * * sun", 7 * day],
    ["0 3 * * 0", 7 * day],
    ["0 3 * * 7", 7 * day],
    ["0 3 * * Mon-Fri", 3 * day],
    ["0 3 1 * *", 31 * day],
    ["0 3 31 * *", 61 * day],
    ["0 3 1 jan,jul *", 184 * day],
    // Either of the two days.
    ["0 3 1 * mon", 7 * day],
    ["0 3 29 2 *", 1461 * day],
    ["0 3 30 2 *", undefined],
  ])("is right for %s", (schedule, seconds) => {
    expect(longestInterval(schedule)).toBe(seconds);
  });
});

describe("the backup intervals", () => {
  it("are given for full and incremental backups", () => {
    expect(backupIntervals({ full: "0 2 * * sun", incremental: "0 2 * * *" })).toEqual({ full: 7 * day, incr: day });
  });

  it("count a full backup as an incremental one", () => {
    expect(backupIntervals({ full: "0 2 * * *", incremental: "0 2 * * sun" })).toEqual({ full: day, incr: day });
  });
});
