import type { HealthSettings } from "../health/collector.ts";
import { type HealthStatus, judge } from "../health/judge.ts";
import type { Observation } from "../health/monitor.ts";
import { monitorContinuously, type RunningMonitoring } from "../health/programs.ts";
import { ratesBetween } from "../health/rates.ts";
import { settingsFromEnvironment } from "../health/settings.ts";
import { type Snapshot, takeSnapshot } from "../health/snapshot.ts";
import { type ConnectionTarget, connectionOf } from "./target.ts";

/** Options of {@link collectMetrics}, {@link healthStatus} and {@link startMonitoring}. */
export interface MonitoringOptions extends ConnectionTarget {
  /** Settings that differ from those of `MONITORING_INTERVAL` and `SLOW_QUERY_THRESHOLD` in `env`. */
  settings?: Partial<HealthSettings>;
}

/**
 * Takes a snapshot of a server: sessions, statements, locks, WAL, replication, sizes. Only reads. A part that cannot be
 * read is unknown with the reason, also if the server cannot be reached.
 *
 * @throws OperationError (exit code usage) if no database is given or a setting is invalid
 */
export async function collectMetrics(options: MonitoringOptions = {}): Promise<Snapshot> {
  return takeSnapshot(connectionOf(options), healthSettings(options));
}

/**
 * Returns the state of a server and of each subject: ok, warning, critical or unknown.
 *
 * @throws OperationError (exit code usage) as {@link collectMetrics}
 */
export async function healthStatus(options: MonitoringOptions = {}): Promise<HealthStatus> {
  const settings = healthSettings(options);
  const snapshot = await takeSnapshot(connectionOf(options), settings);
  return judge(snapshot, ratesBetween(undefined, snapshot), settings);
}

/**
 * Takes a snapshot at each interval and passes it on, until `stop` is called on the result.
 *
 * @throws OperationError (exit code usage) as {@link collectMetrics}
 */
export function startMonitoring(
  options: MonitoringOptions,
  onObservation: (observation: Observation) => void,
): RunningMonitoring {
  return monitorContinuously(connectionOf(options), onObservation, healthSettings(options));
}

function healthSettings({ env = process.env, settings }: MonitoringOptions): HealthSettings {
  return { ...settingsFromEnvironment(env), ...settings };
}
