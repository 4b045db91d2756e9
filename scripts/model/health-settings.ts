/** Two limits of a value. */
export interface Limits {
  warning: number;
  critical: number;
}

/** Settings of health checks that the environment and a stack's settings can set. */
export interface HealthVariables {
  /** Time in ms between two snapshots. */
  intervalMs: number;
  /** Mean time in ms above which a statement is slow. */
  slowQueryMs: number;
  /** Snapshots that the history keeps. */
  maxStored: number;
  /** Mean time of all statements in ms. */
  queryMs: Limits;
  /** Used share of max_connections in percent. */
  connectionPercent: Limits;
  /** Used share of the disk in percent. */
  storagePercent: Limits;
}

/** Names in `monitoring.healthLimits`. */
export const healthLimitNames = [
  "interval",
  "slowQuery",
  "metricsStored",
  "queryTime",
  "connections",
  "storage",
] as const;
export type HealthLimitName = (typeof healthLimitNames)[number];

/** An environment variable of health checks. */
interface HealthVariable<Name extends keyof HealthVariables> {
  name: string;
  member: Name;
  /** Returns undefined if the text is not valid. */
  parse: (text: string) => HealthVariables[Name] | undefined;
  /** Says what is valid. */
  expected: string;
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

const percent = (text: string) => {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : 0;
  return value > 0 && value <= 100 ? value : undefined;
};

/** Makes a parser of two limits, such as `70,90`. */
const limits =
  (parse: (text: string) => number | undefined) =>
  (text: string): Limits | undefined => {
    const [warning, critical, ...more] = text.split(",").map((part) => parse(part.trim()));
    const isValid = warning !== undefined && critical !== undefined && warning <= critical && more.length === 0;
    return isValid ? { warning, critical } : undefined;
  };

const percents = "two percentages, of a warning and of a critical state, such as 70,90";

/** Environment variables of health checks, by their names in `monitoring.healthLimits`. */
export const healthVariables: {
  interval: HealthVariable<"intervalMs">;
  slowQuery: HealthVariable<"slowQueryMs">;
  metricsStored: HealthVariable<"maxStored">;
  queryTime: HealthVariable<"queryMs">;
  connections: HealthVariable<"connectionPercent">;
  storage: HealthVariable<"storagePercent">;
} = {
  interval: {
    ...{ name: "MONITORING_INTERVAL", member: "intervalMs", parse: interval },
    expected: "at least one second, such as 30s or 5m",
  },
  slowQuery: {
    ...{ name: "SLOW_QUERY_THRESHOLD", member: "slowQueryMs", parse: threshold },
    expected: "a duration, such as 500ms or 2s",
  },
  metricsStored: {
    ...{ name: "MAX_METRICS_STORED", member: "maxStored", parse: whole },
    expected: "a whole number from 1 to 100000",
  },
  queryTime: {
    ...{ name: "QUERY_TIME_LIMITS", member: "queryMs", parse: limits(threshold) },
    expected: "two durations, of a warning and of a critical state, such as 1s,5s",
  },
  connections: {
    ...{ name: "CONNECTION_LIMITS", member: "connectionPercent", parse: limits(percent) },
    expected: percents,
  },
  storage: {
    ...{ name: "STORAGE_LIMITS", member: "storagePercent", parse: limits(percent) },
    expected: percents,
  },
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
