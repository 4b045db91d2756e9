import { describe, expect, it } from "vitest";
import {
  endOfSegment,
  formatLsn,
  formatSegment,
  historyName,
  isSegmentName,
  parseHistory,
  parseLsn,
  parseSegment,
} from "../../../../scripts/backup/wal.ts";

describe("WAL names and positions", () => {
  it.each([
    ["000000010000000000000001", "0/2000000"],
    ["0000000100000000000000FF", "1/0"],
    ["0000000A000000FF000000FF", "100/0"],
  ])("%s ends at %s", (name, end) => {
    expect(formatLsn(endOfSegment(name).lsn)).toBe(end);
    expect(formatSegment(parseSegment(name))).toBe(name);
    expect(formatLsn(parseLsn(end))).toBe(end);
  });

  it("depend on the segment size", () => {
    const large = 2 ** 26;
    expect(formatLsn(endOfSegment("00000001000000000000003F", large).lsn)).toBe("1/0");
    expect(formatSegment({ timeline: 1, number: 64 }, large)).toBe("000000010000000100000000");
  });

  it("exclude partial segments and histories", () => {
    expect(isSegmentName("000000010000000000000004.partial")).toBe(false);
    expect(isSegmentName(historyName(2))).toBe(false);
    expect(() => parseLsn("0/XYZ")).toThrow("'0/XYZ' is not an LSN.");
  });

  it("are read from a history as PostgreSQL does, whatever follows the position", () => {
    const text = "1\t0/37003358\tno recovery target specified\n\n2\t1/A0000000\t\u00e5X\u0001\n";
    expect(parseHistory(text)).toEqual([
      { timeline: 1, end: parseLsn("0/37003358") },
      { timeline: 2, end: parseLsn("1/A0000000") },
    ]);
  });

  it.each([
    ["of the first one", "1 0/6000148\n3 0/4010CA0", [[1, "0/4010CA0"]]],
    ["at which the last one began", "1 0/6000148\n3 0/6000148", [[1, "0/6000148"]]],
    [
      "between two, and was left later",
      "1 0/3000000\n2 0/6000000\n4 0/8000000\n5 0/5000000\n6 0/9000000",
      [
        [1, "0/3000000"],
        [2, "0/5000000"],
        [6, "0/9000000"],
      ],
    ],
  ])("of a history end where a recovery stopped before its target timeline began: a point %s", (_, text, expected) => {
    expect(parseHistory(text).map(({ timeline, end }) => [timeline, formatLsn(end)])).toEqual(expected);
  });
});
