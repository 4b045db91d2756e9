import { describe, expect, it } from "vitest";
import { forecastDisk } from "../../../../scripts/health/forecast.ts";

const begin = Date.UTC(2026, 0, 1) / 3_600_000;

/** Returns the free space of so many hours, by a function of the hour. */
const hours = (count: number, free: (hour: number) => number | null) =>
  Array.from({ length: count }, (_, hour) => ({ hour: begin + hour, diskFreeBytes: free(hour), databaseBytes: null }));

describe("the forecast of the disk", () => {
  it("is the day on which the free space ends, at the growth of the measured hours", () => {
    const forecast = forecastDisk(hours(49, (hour) => 1_000 - 10 * hour));
    expect(forecast).toEqual({ kind: "full", at: new Date((begin + 100) * 3_600_000), measuredHours: 48 });
  });

  it("is not turned by a large file that comes and goes", () => {
    const forecast = forecastDisk(hours(240, (hour) => 10_000 - 10 * hour - (hour === 100 ? 5_000 : 0)));
    expect(forecast.kind === "full" && forecast.at.getTime() / 3_600_000 - begin).toBeCloseTo(1_000, -2);
  });

  it.each([
    ["grows", (hour: number) => 1_000 + hour],
    ["stays", () => 1_000],
    ["shrinks for more than a year", (hour: number) => 1_000_000 - 100 * hour],
  ])("is more than a year if the free space %s", (_, free) => {
    expect(forecastDisk(hours(48, free))).toEqual({ kind: "lasts", measuredHours: 47 });
  });

  it.each([
    ["nothing was measured", hours(48, () => null), "not measured"],
    ["less than a day was measured", hours(24, (hour) => 1_000 - hour), "24 hours"],
    ["a day has gaps", hours(48, (hour) => (hour % 3 === 0 ? 1_000 - hour : null)), "16 hours"],
  ])("is not known if %s", (_, measured, reason) => {
    expect(forecastDisk(measured)).toEqual({ kind: "unknown", reason: expect.stringContaining(reason) });
  });
});
