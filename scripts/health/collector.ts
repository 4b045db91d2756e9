import type { Connection } from "../connection/connection.ts";
import type { Observer } from "../connection/observer.ts";
import type { Known } from "../core/known.ts";
import type { JobState } from "../databases/job-state.ts";
import type { MigrationRecord } from "../databases/migration-records.ts";
import type { HealthVariables } from "../model/health-settings.ts";
import type { ErrorLog } from "./error-log.ts";
import type { HostValues } from "./host-values.ts";
import type { ErrorCounts } from "./logged-errors.ts";
import type { PoolerState } from "./pooler.ts";

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

/** Settings of health checks. */
export interface HealthSettings extends HealthVariables {
  /** Time limit in ms of each query of a collector. */
  collectorMs: number;
  /** Counts the errors in the server's log. Omit it if only one snapshot is taken. */
  errorLog?: ErrorLog;
  /**
   * Reads the errors that the server's container has counted.
   *
   * @throws NotKnown if it cannot
   */
  readErrors?: () => Promise<ErrorCounts>;
  /**
   * Reads the server's machine if its files are not on this one. Omit it if they can be.
   *
   * @throws NotKnown if it cannot
   */
  readHost?: () => Promise<HostValues>;
  /**
   * Reads the state of the backups; null if the stack makes none. Omit it if only a connection is known. It is called
   * for each snapshot, also if the server does not answer.
   */
  readBackups?: () => Promise<Known<{ value: BackupValues | null }>>;
  /**
   * Reads the last deploys and restore drills; null if the stack makes no backups, which record them. Omit it if only a
   * connection is known.
   */
  readOperations?: () => Promise<Known<{ value: OperationValues | null }>>;
  /** Reads the state of the stack's pooler; null if it has none. Omit it if it cannot be read from here. */
  readPooler?: () => Promise<Known<{ value: PoolerState | null }>>;
  /**
   * Reads the state of the jobs in `database.json`; null if there are none. Omit it if only a connection is known.
   */
  readJobs?: () => Promise<Known<{ value: JobValues | null }>>;
  /** Compares the connection's database with its committed files. Omit it if there are no files. */
  compareMigrations?: CompareMigrations;
  /** Databases whose statements and migrations are read. Default: the one of the connection. */
  databases?: readonly ObservedDatabase[];
}

/** Compares a database's records with the committed files. */
export type CompareMigrations = (records: readonly MigrationRecord[]) => Promise<ComparedMigrations>;

/** A database of the observed server. */
export interface ObservedDatabase {
  connection: Connection;
  /** Omit it if there are no files. */
  compareMigrations?: CompareMigrations;
}

/** A complete backup. Times in ISO 8601. */
export interface BackupValue {
  label: string;
  type: string;
  finishedAt: string;
  ageSeconds: number;
}

/** A problem of the backups, or a check that gave no answer. */
export interface SubjectFinding {
  level: "wrong" | "unknown";
  text: string;
}

/** Backups of a stack. */
export type BackupValues = RepositoryBackups | MeasuredBackups;

/** Backups as the repository and the notes of their runs describe them. */
export interface RepositoryBackups {
  source: "repository";
  last: BackupValue | null;
  lastFull: BackupValue | null;
  /** End of the oldest backup: nothing before it can be restored. */
  restorableFrom: string | null;
  /** Last time at which WAL was archived; null if the server did not say. */
  lastArchivedAt: string | null;
  /** Failed runs that no later backup made up for. */
  failedRuns: { type: string; startedAt: string; exitCode: number | null }[];
  underWay: boolean;
  findings: SubjectFinding[];
}

/** The newest backup of a type that a scan of the repository has found intact. */
export type MeasuredBackup = Omit<BackupValue, "label"> & { repository: number };

/**
 * Backups as the metrics of the backup container describe them. Metrics have no labels, no list of backups, and nothing
 * of a backup that is being made.
 */
export interface MeasuredBackups {
  source: "metrics";
  /** null if the metrics have none. Findings say if there is none, or if that is not known. */
  last: MeasuredBackup | null;
  lastFull: MeasuredBackup | null;
  /** Failed runs that no later backup made up for; null if the metrics have no runs. */
  failedRuns: { repository: number; type: string }[] | null;
  repositories: MeasuredRepository[];
  findings: SubjectFinding[];
}

/** Metrics of a repository. Times in ISO 8601; null if they are not known. */
export interface MeasuredRepository {
  /** Counted from 1. */
  number: number;
  scannedAt: string | null;
  /** Time up to which all complete WAL is proven to be in the archive. */
  archivedUntil: string | null;
}

/** A deploy: an `up` that changed the stack. */
export interface DeployValue {
  number: number;
  /** ISO 8601. */
  at: string;
  outcome: "unfinished" | "done" | "failed";
  /** Number of changed resources; null if not known. */
  changes: number | null;
  /** Git commit of the project; null without Git. */
  commit: string | null;
  user: string;
}

/** A restore drill. */
export interface DrillValue {
  /** ISO 8601. */
  startedAt: string;
  outcome: "passed" | "failed" | "could not run";
  /** null if they are not known. */
  reasons: string[] | null;
  rtoSeconds: number | null;
  rpoSeconds: number | null;
  /** Number and hash of its evidence; null if it left none. Absent if that is not known. */
  evidence?: { number: number; hash: string } | null;
}

/** Jobs of a stack's databases. */
export interface JobValues {
  /** pg_cron in the server, or the command `pgw jobs run`. */
  runner: "pg_cron" | "command";
  /** Without the messages of their last runs, which can contain data. */
  jobs: JobState[];
}

/** Last deploys and drills of a stack. */
export interface OperationValues {
  /** Newest first. null if they are not known. */
  deploys: DeployValue[] | null;
  /** The last drill, and the last one that passed. null if there is none. */
  lastDrill: DrillValue | null;
  lastPassedDrill: DrillValue | null;
}

/** Differences between the records of a database and the committed files. */
export interface ComparedMigrations {
  /** Files that are not applied, in order. */
  pending: string[];
  /** Applied files that were edited, are missing, or differ in another way: kind and name. */
  problems: string[];
}
