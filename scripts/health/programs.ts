import type { Connection } from "../connection/connection.ts";
import type { HealthSettings } from "./collector.ts";
import { Monitor, type Observation } from "./monitor.ts";

/** Monitoring that runs until it is stopped. */
export interface RunningMonitoring {
  /** Returns the last observation; undefined before the first. */
  last(): Observation | undefined;
  stop(): void;
}

/**
 * Takes snapshots at an interval, and passes each to `onObservation`, also if the server cannot be reached. An error of
 * `onObservation` is not caught here: it ends the process as any other of the application.
 */
export function monitorContinuously(
  connection: Connection,
  onObservation: (observation: Observation) => void,
  settings: HealthSettings,
): RunningMonitoring {
  const monitor = new Monitor(connection, settings);
  let isStopped = false;
  const observe = async () => {
    const observation = await monitor.observe(0);
    if (!isStopped) onObservation(observation);
  };
  const timer = setInterval(() => void observe(), settings.intervalMs);
  void observe();
  return {
    last: () => monitor.last,
    stop: () => {
      isStopped = true;
      clearInterval(timer);
    },
  };
}
