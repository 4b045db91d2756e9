import type { Connection } from "../connection/connection.ts";
import type { HealthSettings } from "./collector.ts";
import { ErrorLog } from "./error-log.ts";
import { type HealthStatus, judge } from "./judge.ts";
import { type Rates, ratesBetween, type StatementGrowth, statementGrowth } from "./rates.ts";
import { type Snapshot, takeSnapshot } from "./snapshot.ts";

/** A snapshot with what was computed from it and the one before. */
export interface Observation {
  snapshot: Snapshot;
  rates: Rates;
  status: HealthStatus;
  /** Use of the most expensive statements since the snapshot before. */
  statements: StatementGrowth[];
}

/** Takes snapshots for any number of readers: at most one at a time, and none while the last one is recent. */
export class Monitor {
  readonly #connection: Connection;
  readonly #settings: HealthSettings;
  #last: Observation | undefined;
  #running: Promise<Observation> | undefined;

  constructor(connection: Connection, settings: HealthSettings) {
    this.#connection = connection;
    this.#settings = { errorLog: new ErrorLog(), ...settings };
  }

  /** Last observation; undefined before the first. */
  get last(): Observation | undefined {
    return this.#last;
  }

  /**
   * Returns an observation that is not older than the interval.
   *
   * @param maxAgeMs another limit of its age; 0 for a new one
   */
  async observe(maxAgeMs = this.#settings.intervalMs): Promise<Observation> {
    const last = this.#last;
    if (last !== undefined && Date.now() - last.snapshot.takenAt.getTime() < maxAgeMs) return last;
    this.#running ??= this.#observe().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #observe(): Promise<Observation> {
    const snapshot = await takeSnapshot(this.#connection, this.#settings);
    const before = this.#last?.snapshot;
    const rates = ratesBetween(before, snapshot);
    const statements = statementGrowth(before, snapshot);
    this.#last = { snapshot, rates, status: judge(snapshot, rates, this.#settings), statements };
    return this.#last;
  }
}
