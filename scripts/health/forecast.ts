import type { SpaceHour } from "./history.ts";

/** Estimate of when the disk is full. */
export type DiskForecast =
  | { kind: "full"; at: Date; measuredHours: number }
  /** The free space does not shrink, or so slowly that it lasts for a year. */
  | { kind: "lasts"; measuredHours: number }
  | { kind: "unknown"; reason: string };

/** Hours that must have been measured: less than a day says nothing about the next one. */
const leastHours = 24;

/** Hours after which an estimate is not shown: it would be a guess. */
const horizonHours = 365 * 24;

const hourMs = 3_600_000;

/**
 * Estimates when the disk is full, if it goes on as in the measured hours: with a straight line by least squares, which
 * one large file that comes and goes does not turn.
 */
export function forecastDisk(hours: readonly SpaceHour[]): DiskForecast {
  const points = hours.flatMap(({ hour, diskFreeBytes }) =>
    diskFreeBytes === null ? [] : [[hour, diskFreeBytes] as const],
  );
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined)
    return { kind: "unknown", reason: "the free space of the server's disk was not measured" };
  const measuredHours = last[0] - first[0];
  if (measuredHours < leastHours || points.length < leastHours)
    return {
      kind: "unknown",
      reason: `only ${points.length} hours were measured, and an estimate needs ${leastHours}`,
    };
  const mean = (index: 0 | 1) => points.reduce((sum, point) => sum + point[index], 0) / points.length;
  const [meanHour, meanFree] = [mean(0), mean(1)];
  const covariance = points.reduce((sum, [hour, free]) => sum + (hour - meanHour) * (free - meanFree), 0);
  const variance = points.reduce((sum, [hour]) => sum + (hour - meanHour) ** 2, 0);
  const perHour = covariance / variance;
  // From what is free now: the line may be above or below it.
  const hoursLeft = perHour < 0 ? last[1] / -perHour : Number.POSITIVE_INFINITY;
  if (hoursLeft > horizonHours) return { kind: "lasts", measuredHours };
  return { kind: "full", at: new Date((last[0] + hoursLeft) * hourMs), measuredHours };
}
