/**
 * Entry point for programs: `import { autoMigrate } from "pgroundwork"`. Nothing here prints or exits, and neither
 * Pulumi nor its engine is loaded. Failures throw an `OperationError`: its message says what happened, its `hint`
 * says what to do.
 */

// Backups
export type { Backup, BackupType } from "./backup/info.ts";
export type { BackupList } from "./backup/list.ts";
export type { BackupLocation } from "./backup/location.ts";
export type { Restored } from "./backup/restore/restore.ts";
export type { BackupWindow } from "./backup/window/window.ts";
export type { Connection } from "./connection/connection.ts";
export { ConnectionError } from "./connection/connection-error.ts";
export { OperationError } from "./core/operation-error.ts";
// Migrations
export type { ApplyResult, MigrationEvent } from "./migrate/apply.ts";
export type { MigrationBundle } from "./migrate/bundle.ts";
export type { RevertEvent, RevertResult } from "./migrate/down.ts";
export type { MigrationProblem, MigrationStatus } from "./migrate/status.ts";
export {
  backupWindow,
  createBackup,
  listBackups,
  type RestoreOptions,
  type RestoreTarget,
  restoreBackup,
} from "./programs/backups.ts";
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
export {
  type ClearOptions,
  clearSeeds,
  type SeedFileInfo,
  type SeedInfoOptions,
  type SeedOptions,
  seed,
  seedInfo,
} from "./programs/seeds.ts";
export type { BundleTarget, ConnectionTarget, DatabaseTarget, MigrationTarget } from "./programs/target.ts";
// Seeds
export type { ApplySeedsResult, SeedEvent } from "./seed/apply.ts";
export type { ClearedSeeds } from "./seed/clear.ts";
export { SqlFileError } from "./sql/run-sql.ts";
