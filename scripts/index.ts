/**
 * Entry point for programs: `import { autoMigrate } from "pgroundwork"`. Nothing here prints or exits, and neither
 * Pulumi nor its engine is loaded. Failures throw an `OperationError`: its message says what happened, its `hint`
 * says what to do.
 */

/* Errors, and how a database is named. */

export type { Connection } from "./connection/connection.ts";
export { ConnectionError } from "./connection/connection-error.ts";
export { OperationError } from "./core/operation-error.ts";
export type { BundleTarget, ConnectionTarget, DatabaseTarget, MigrationTarget } from "./programs/target.ts";
export { SqlFileError } from "./sql/run-sql.ts";

/* Migrations. */

export type { ApplyResult, MigrationEvent } from "./migrate/apply.ts";
export type { MigrationBundle } from "./migrate/bundle.ts";
export type { RevertEvent, RevertResult } from "./migrate/down.ts";
export type { MigrationProblem, MigrationStatus } from "./migrate/status.ts";
export {
  autoMigrate,
  createMigration,
  initializeMigrations,
  type MigrateOptions,
  migrate,
  migrationStatus,
  type RollbackOptions,
  rollback,
  verify,
} from "./programs/migrations.ts";

/* Seeds. */

export {
  type ClearOptions,
  clearSeeds,
  type SeedFileInfo,
  type SeedInfoOptions,
  type SeedOptions,
  seed,
  seedInfo,
} from "./programs/seeds.ts";
export type { ApplySeedsResult, SeedEvent } from "./seed/apply.ts";
export type { ClearedSeeds } from "./seed/clear.ts";

/* Imports. */

export type { ExportedImport } from "./import/export/export-import.ts";
export type { ExportedChange, NotWritten } from "./import/export/report.ts";
export { type ColumnMap, type ImportMap, importMap, type TableMap, type Transform } from "./import/map.ts";
export type { ImportRun } from "./import/run/ledger.ts";
export type { LiveChange, LiveChangeKind, LiveTable } from "./import/run/live.ts";
export type { ImportReport, TableReport, VerifyResult } from "./import/run/result.ts";
export type { RollbackResult } from "./import/run/rollback.ts";
export type { ImportEvent, ImportResult } from "./import/run/run-import.ts";
export type { ComparedImport, ListedImport, VerifiedImport } from "./import/verify-import.ts";
export {
  compareImport,
  exportImport,
  type ImportSourceOptions,
  importSource,
  inferImportMap,
  listImports,
  rollbackImport,
  verifyImport,
} from "./programs/imports.ts";

/* Integrity of the data. */

export { type ValidateDatabaseOptions, validateDatabase } from "./programs/validation.ts";
export type { IntegrityFinding, Sample } from "./validate/subject.ts";
export type { SubjectOutcome, TableRows, Validation } from "./validate/validate.ts";

/* Backups. */

export type { Drill } from "./backup/drill/drill.ts";
export type { NotDue, RecordedDrill } from "./backup/drill/planned.ts";
export type { Backup, BackupType } from "./backup/info.ts";
export type { BackupList } from "./backup/list.ts";
export type { BackupLocation } from "./backup/location.ts";
export type { Restored } from "./backup/restore/restore.ts";
export type { BackupWindow } from "./backup/window/window.ts";
export {
  backupWindow,
  createBackup,
  createRestorePoint,
  type DrillOptions,
  drillBackup,
  drillBackupIfDue,
  listBackups,
  type RestoreOptions,
  type RestoreTarget,
  restoreBackup,
  type ValidateBackupOptions,
  type ValidatedBackup,
  validateBackup,
} from "./programs/backups.ts";

/* Dumps. */

export type { DumpFormat } from "./backup/dump/format.ts";
export type { DumpStats } from "./backup/dump/stats.ts";
export {
  type CreateDumpOptions,
  createDump,
  type Dump,
  type DumpFolder,
  dumpStats,
  type ListedDump,
  type LoadDumpOptions,
  type LoadedDump,
  listDumps,
  loadDump,
  type ValidateDumpOptions,
  type ValidatedDump,
  validateDump,
} from "./programs/dumps.ts";

/* Physical archives of servers on this machine. */

export type { ArchivedDatabase } from "./backup/physical/metadata.ts";
export {
  type CreatePhysicalArchiveOptions,
  createPhysicalArchive,
  type ListedPhysicalArchive,
  listPhysicalArchives,
  type PhysicalArchive,
  type PhysicalArchiveFolder,
  type RestoredPhysicalArchive,
  type RestorePhysicalArchiveOptions,
  restorePhysicalArchive,
} from "./programs/physical-archives.ts";

/* A pool of connections for applications, and the errors of data access. */

export {
  type CachedStatement,
  type CacheOptions,
  type CacheRead,
  type CacheStats,
  createCache,
  type ResultCache,
} from "./client/cache/cache.ts";
export type { CheckoutKind, HeldClient } from "./client/checkouts.ts";
export { type RequestContext, requestContext, withRequestContext } from "./client/context.ts";
export type { CopyOptions } from "./client/copy.ts";
export { createPool } from "./client/create-pool.ts";
export {
  AlreadyExistsError,
  actingUser,
  DomainError,
  domainError,
  found,
  foundVersion,
  InvalidValueError,
  NoActorError,
  NotAllowedError,
  NotFoundError,
  OverlapError,
  RelatedRowError,
  RuleViolationError,
  read,
  VersionConflictError,
  write,
} from "./client/domain-errors.ts";
export {
  AbortedCommitError,
  EndedTransactionError,
  OutcomeUnknownError,
  PoolClosedError,
  PoolStarvationError,
  PoolTimeoutError,
  RolledBackError,
  UnfinishedWorkError,
  UseAfterEndError,
  WorkTimeoutError,
} from "./client/errors.ts";
export type { CheckHealth } from "./client/health.ts";
export type { Subscription, SubscriptionOptions } from "./client/listen.ts";
export { registerPoolMetrics } from "./client/metrics.ts";
export type { Pool, PooledClient } from "./client/pool.ts";
export type { PoolEvents, PoolStats } from "./client/pool-core.ts";
export type { ReplicaRead } from "./client/replicas/replicas.ts";
export type { StandbyConditions, StandbyReader } from "./client/replicas/standby-reader.ts";
export type { Transaction } from "./client/running-transaction.ts";
export type { PoolTarget } from "./client/servers/target.ts";
export type { PoolOptions } from "./client/settings.ts";
export type { Statement, StatementResult } from "./client/statements.ts";
export type { StreamOptions } from "./client/stream.ts";
export type { TransactionOptions } from "./client/transaction.ts";

/* Health. */

export type { HealthSettings } from "./health/collector.ts";
export type { HealthStatus } from "./health/judge.ts";
export type { Observation } from "./health/monitor.ts";
export type { RunningMonitoring } from "./health/programs.ts";
export type { Snapshot } from "./health/snapshot.ts";
export { collectMetrics, healthStatus, type MonitoringOptions, startMonitoring } from "./programs/monitoring.ts";
