import { exitCode, OperationError } from "../core/operation-error.ts";
import type { HealthSettings } from "./collector.ts";

export const defaultSettings: HealthSettings = {
  intervalMs: 30_000,
  slowQueryMs: 1_000,
  maxStored: 2_880,
  queryMs: { warning: 1_000, critical: 5_000 },
  connectionPercent: { warning: 70, critical: 90 },
  storagePercent: { warning: 80, critical: 95 },
  collectorMs: 100,
};

/**
 * Reads the settings from `MONITORING_INTERVAL`, `SLOW_QUERY_THRESHOLD` and `MAX_METRICS_STORED`. A duration has a unit
 * (`30s`, `5m`), or is a number alone: milliseconds for the threshold, else seconds.
 *
 * @throws OperationError (wrong usage) with all faults
 */
export function settingsFromEnvironment(env: Readonly<Record<string, string | undefined>>): HealthSettings {
  const faults: string[] = [];
  const read = <T>(name: string, parse: (text: string) => T | undefined, expected: string, standard: T): T => {
    const text = env[name];
    if (text === undefined || text === "") return standard;
    const value = parse(text.trim());
    if (value === undefined) faults.push(`${name} is "${text}": expected ${expected}.`);
    return value ?? standard;
  };
  const settings = {
    ...defaultSettings,
    intervalMs: read(
      "MONITORING_INTERVAL",
      interval,
      "at least one second, such as 30s or 5m",
      defaultSettings.intervalMs,
    ),
    slowQueryMs: read(
      "SLOW_QUERY_THRESHOLD",
      threshold,
      "a duration, such as 500ms or 2s",
      defaultSettings.slowQueryMs,
    ),
    maxStored: read("MAX_METRICS_STORED", whole, "a whole number from 1 to 100000", defaultSettings.maxStored),
  };
  if (faults.length > 0) throw new OperationError(faults.join("\n"), { exitCode: exitCode.usage });
  return settings;
}

const interval = (text: string) => {
  const ms = durationMs(text, 1_000);
  return ms !== undefined && ms >= 1_000 && ms <= 86_400_000 ? ms : undefined;
};

const threshold = (text: string) => durationMs(text, 1);

const whole = (text: string) => {
  const value = /^\d+$/.test(text) ? Number(text) : 0;
  return value >= 1 && value <= 100_000 ? value : undefined;
};

const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/**
 * Parses a duration such as `30s`, `1.5m` or `250ms`; undefined if it is none.
 *
 * @param unitMs unit in ms of a number without one
 */
export function durationMs(text: string, unitMs: number): number | undefined {
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h)?$/.exec(text) ?? [];
  if (number === undefined) return undefined;
  return Number(number) * (unit === undefined ? unitMs : (units[unit] ?? unitMs));
}
