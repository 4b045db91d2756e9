import type { Observer } from "../connection/observer.ts";
import type { MigrationRecord } from "../databases/migration-records.ts";

/** Reads one subject of a server. Its queries wait for no lock on a table, and end after the snapshot's time limit. */
export interface Collector<T> {
  /** Subject, as a member of the snapshot. */
  name: string;
  /** Right that the role needs, for the documentation. */
  needs:
    | "any role"
    | "pg_read_all_stats"
    | "pg_read_all_settings"
    | "CONNECT or pg_read_all_stats"
    | "the ledger or the monitoring schema"
    | "the data directory";
  /**
   * Reads it.
   *
   * @throws NotKnown if the role cannot see it, or the server does not have it
   */
  collect(observer: Observer, settings: HealthSettings): Promise<T>;
}

/** Two limits of a value. */
export interface Limits {
  warning: number;
  critical: number;
}

/** Settings of health checks. */
export interface HealthSettings {
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
  /** Time limit in ms of each query of a collector. */
  collectorMs: number;
  /** Compares a database's records with the committed files. Omit it if there are no files. */
  compareMigrations?: (records: readonly MigrationRecord[]) => Promise<ComparedMigrations>;
}

/** Differences between the records of a database and the committed files. */
export interface ComparedMigrations {
  /** Files that are not applied, in order. */
  pending: string[];
  /** Applied files that were edited, are missing, or differ in another way: kind and name. */
  problems: string[];
}
