import { describe, expect, it } from "vitest";
import { displayTime, formatTime, parseTime } from "../../../../../scripts/backup/window/microseconds.ts";

describe("a time in microseconds", () => {
  it.each([
    ["1970-01-01 00:00:00 UTC", 0n],
    ["2026-11-29 05:17:59.014794 UTC", 1_795_929_479_014_794n],
    ["2024-02-29T23:59:59.999999Z", 1_709_251_199_999_999n],
    ["2000-03-01 00:00:00.1+00", 951_868_800_100_000n],
    ["2100-12-31 12:00:00 UTC", 4_133_937_600_000_000n],
  ])("reads %s without losing a digit", (text, microseconds) => {
    expect(parseTime(text)).toBe(microseconds);
    expect(parseTime(formatTime(microseconds))).toBe(microseconds);
  });

  it("has the same calendar as JavaScript for every day of 200 years", () => {
    const isWrong = (day: number) => {
      const text = new Date(day * 86_400_000).toISOString();
      const microseconds = BigInt(day) * 86_400_000_000n;
      return formatTime(microseconds) !== text.replace(".000Z", ".000000Z") || parseTime(text) !== microseconds;
    };
    expect(Array.from({ length: 200 * 366 }, (_, day) => day).filter(isWrong)).toEqual([]);
  });

  it("is shown with all six digits", () => {
    expect(displayTime(1_795_929_479_000_100n)).toBe("2026-11-29 05:17:59.000100 UTC");
  });

  it("must be in UTC", () => {
    expect(() => parseTime("2026-11-29 05:17:59+02")).toThrow("is not a time in UTC");
  });
});
