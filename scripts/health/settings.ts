import { exitCode, OperationError } from "../core/operation-error.ts";
import { type HealthVariables, healthVariables } from "../model/health-settings.ts";
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
 * Reads the settings from the environment: `MONITORING_INTERVAL`, `SLOW_QUERY_THRESHOLD`, `MAX_METRICS_STORED`, and
 * pairs of limits in `QUERY_TIME_LIMITS`, `CONNECTION_LIMITS` and `STORAGE_LIMITS`. A duration has a unit (`30s`,
 * `5m`), or is a number alone: seconds for the interval, else milliseconds.
 *
 * @throws OperationError (wrong usage) with all faults
 */
export function settingsFromEnvironment(env: Readonly<Record<string, string | undefined>>): HealthSettings {
  const faults: string[] = [];
  const given: Partial<Record<keyof HealthVariables, unknown>> = {};
  for (const { name, member, parse, expected } of Object.values(healthVariables)) {
    const text = env[name];
    if (text === undefined || text === "") continue;
    const value = parse(text.trim());
    if (value === undefined) faults.push(`${name} is "${text}": expected ${expected}.`);
    else given[member] = value;
  }
  if (faults.length > 0) throw new OperationError(faults.join("\n"), { exitCode: exitCode.usage });
  return { ...defaultSettings, ...(given as Partial<HealthVariables>) };
}
