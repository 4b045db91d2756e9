import { resolve } from "node:path";
import type { NotDue, RecordedDrill } from "../backup/drill/planned.ts";
import type { Backup, BackupType } from "../backup/info.ts";
import type { BackupList } from "../backup/list.ts";
import type { BackupLocation } from "../backup/location.ts";
import type { Destination, RequestedPoint } from "../backup/restore/request.ts";
import type { Restored } from "../backup/restore/restore.ts";
import type { BackupWindow } from "../backup/window/window.ts";
import { exitCode, OperationError } from "../core/operation-error.ts";

/** Target of a restore. A time has a zone: `2026-11-29 05:17:59 UTC`. */
export type RestoreTarget =
  | { backup: string }
  | { time: string }
  | { lsn: string }
  | { xid: string | number | bigint }
  | { restorePoint: string }
  | { beforeMigration: string; database: string }
  /** Just before a deploy: its number, or `last`. */
  | { beforeDeploy: number | "last" };

/** Options of {@link restoreBackup}. */
export interface RestoreOptions {
  /** New or empty directory, which becomes PostgreSQL's data directory, or a new volume in the Docker engine. */
  to: { directory: string } | { volume: string };
  /** Default: everything that is archived. */
  target?: RestoreTarget;
  /** True to stop just before a point in time: without a commit at that time, the record or the transaction. */
  exclusive?: boolean;
  /** Timeline of a point in time. Default: the current one. */
  timeline?: number;
  /** Limit for the recovery, in seconds. Default: 21600. */
  recoverySeconds?: number;
  signal?: AbortSignal;
  /** Gets the name of each step as it begins. */
  onStep?: (step: string) => void;
}

/** Options of {@link validateBackup}. */
export interface ValidateBackupOptions extends Pick<RestoreOptions, "recoverySeconds" | "signal" | "onStep"> {
  /** Label of the backup. Default: the newest one, with all WAL that is archived. */
  backup?: string;
}

/** Result of {@link validateBackup}. */
export interface ValidatedBackup {
  /** `passed`: a server ran on the restored copy, every row was read, and the WAL was replayed to its end. */
  state: "passed" | "failed";
  /** Reasons why the backup cannot be restored, why rows may be missing, or which databases could not be read. */
  reasons: string[];
  /** Contents of the restored copy. Omitted if the backup cannot be restored. */
  restored?: Restored;
}

const defaultRecoverySeconds = 6 * 3_600;

/**
 * Makes a backup and waits until it is done; the backup container must run. The first one is always full.
 *
 * @param location of the component `Backups`, or what `pgw backup location` prints
 * @throws OperationError with the reason if no backup was made
 */
export async function createBackup(
  location: BackupLocation,
  { type = "incr" }: { type?: BackupType } = {},
): Promise<Backup> {
  const { withBackups } = await import("./with-backups.ts");
  const create = await import("../backup/create.ts");
  return withBackups(location, (docker, { container }) => create.createBackup(docker, container, type));
}

/**
 * Creates a named restore point, for example before a migration, and waits until the archive has it. Restore it with
 * the target `{ restorePoint: name }`.
 *
 * @param name letters, digits, `_`, `-` and `.`; at most 63
 * @throws OperationError if it could not be restored, for example because there is no backup yet
 */
export async function createRestorePoint(location: BackupLocation, name: string): Promise<void> {
  if (!/^[\w.-]{1,63}$/.test(name))
    throw new OperationError(`"${name}" cannot be the name of a restore point.`, {
      hint: "Use letters, digits, _, - and ., at most 63.",
      exitCode: exitCode.usage,
    });
  const { withBackups } = await import("./with-backups.ts");
  const point = await import("../backup/restore-point.ts");
  await withBackups(location, (docker, backups) => point.createRestorePoint(docker, backups, name));
}

/**
 * Lists the backups, newest first, and scans the repository. `findings` has what is wrong or could not be checked.
 *
 * @throws OperationError if the engine, the volumes or pgBackRest do not answer at all
 */
export async function listBackups(location: BackupLocation): Promise<BackupList> {
  const { withBackups } = await import("./with-backups.ts");
  const list = await import("../backup/list.ts");
  return withBackups(location, (docker, backups) => list.listBackups(docker, backups, new Date()));
}

/**
 * Returns the moments that can be restored, and the gaps. Times are microseconds since 1970.
 *
 * @throws OperationError if the engine, the volumes or pgBackRest do not answer at all
 */
export async function backupWindow(location: BackupLocation): Promise<BackupWindow> {
  const { withBackups } = await import("./with-backups.ts");
  const { findWindow } = await import("../backup/window/window.ts");
  return withBackups(location, findWindow);
}

/**
 * Restores a copy of the server, starts a server on it, and reads every row. The running server is not changed. The
 * result has `incompleteReason` if rows may be missing, and `unproven` has the databases that could not be read.
 *
 * @throws OperationError if it cannot be restored, or if the destination is not empty
 */
export async function restoreBackup(location: BackupLocation, options: RestoreOptions): Promise<Restored> {
  const to = destinationOf(options.to);
  const { target, recoverySeconds = defaultRecoverySeconds, onStep = () => undefined } = options;
  const point = await pointOf(location, options);
  if (to.kind === "directory") {
    const directory = await import("../backup/restore/extract-directory.ts");
    await directory.requireEmptyDirectory(to.path);
    await directory.requireWritableDirectory(to.path);
  }
  const { withBackups } = await import("./with-backups.ts");
  const { ownHolder } = await import("../docker/scratch-holder.ts");
  const restore = await import("../backup/restore/restore.ts");
  const { signal = new AbortController().signal } = options;
  const backup = target !== undefined && "backup" in target ? target.backup : undefined;
  const request = { to, backup, point, recoverySeconds, onStep, signal, holder: await ownHolder() };
  return withBackups(location, (docker, backups) => restore.restoreBackup(docker, backups, request));
}

/** Options of {@link drillBackup}. */
export interface DrillOptions {
  /** Folder that contains the folders of databases. Default: `migrations` in the working directory. */
  migrations?: string;
  /** True to restore a random moment of the last 7 days. Default: everything that is archived. */
  random?: boolean;
  /** Limit for the recovery and for each query on the copy, in seconds. Default: 21600. */
  limitSeconds?: number;
  signal?: AbortSignal;
  /** Gets the name of each step as it begins. */
  onStep?: (step: string) => void;
}

/**
 * Restores everything that is archived into a scratch container, proves it with amcheck, all rows and the check files,
 * and removes it. Its outcome is `passed`, `failed` (the backup is bad, or an objective of the location is missed) or
 * `could not run`. It is recorded beside the repository.
 *
 * @throws OperationError if no Docker engine is reached; any other failure is an outcome
 */
export async function drillBackup(location: BackupLocation, options: DrillOptions = {}): Promise<RecordedDrill> {
  const { migrations = "migrations", limitSeconds = defaultRecoverySeconds, onStep = () => undefined } = options;
  const { signal = new AbortController().signal } = options;
  const { withBackups } = await import("./with-backups.ts");
  const { ownHolder } = await import("../docker/scratch-holder.ts");
  const { runRecordedDrill } = await import("../backup/drill/planned.ts");
  const { databaseFolders } = await import("../databases/database-file.ts");
  const folders = await databaseFolders(resolve(migrations));
  const checksOf = async (database: string) => (location.drill?.checks === false ? undefined : folders.get(database));
  const { random } = options;
  const request = { checksOf, holder: await ownHolder(), random, limitSeconds, signal, onStep };
  return withBackups(location, (docker, backups) => runRecordedDrill(docker, backups, request));
}

/**
 * Does what {@link drillBackup} does if a drill is due by the location's plan. Otherwise returns when the next one is.
 *
 * @throws OperationError if the location has no plan, or if the record of the last drills cannot be read
 */
export async function drillBackupIfDue(
  location: BackupLocation,
  options: DrillOptions = {},
): Promise<RecordedDrill | NotDue> {
  const { withBackups } = await import("./with-backups.ts");
  const { findNotDue } = await import("../backup/drill/planned.ts");
  const found = await withBackups(location, (docker, backups) => findNotDue(docker, backups, new Date()));
  return found ?? drillBackup(location, options);
}

/**
 * Restores a backup into a scratch volume, starts a server on it, reads every row, and removes it again. The running
 * server is not changed. Unless `backup` is set, it archives the rest of its WAL first.
 *
 * @throws OperationError if it could not be tried, for example because the engine does not answer or its disk is full.
 * This says nothing about the backup.
 */
export async function validateBackup(
  location: BackupLocation,
  options: ValidateBackupOptions = {},
): Promise<ValidatedBackup> {
  const { withBackups } = await import("./with-backups.ts");
  const { ownHolder } = await import("../docker/scratch-holder.ts");
  const { UnusableBackup } = await import("../backup/diagnosis.ts");
  const restore = await import("../backup/restore/restore.ts");
  const { backup, recoverySeconds = defaultRecoverySeconds } = options;
  const { signal = new AbortController().signal, onStep = () => undefined } = options;
  const to = { kind: "scratch" } as const;
  const request = { to, backup, recoverySeconds, onStep, signal, holder: await ownHolder() };
  return withBackups(location, async (docker, backups) => {
    try {
      const restored = await restore.restoreBackup(docker, backups, request);
      const { incompleteReason, unproven } = restored;
      const reasons = [
        ...(incompleteReason === undefined ? [] : [`Rows may be missing: ${incompleteReason}.`]),
        ...unproven.map(({ database, reason }) => `The database "${database}" could not be read: ${reason}`),
      ];
      return { state: reasons.length === 0 ? "passed" : "failed", reasons, restored };
    } catch (error) {
      if (error instanceof UnusableBackup) return { state: "failed", reasons: [error.message] };
      throw error;
    }
  });
}

function destinationOf(to: RestoreOptions["to"]): Destination {
  return "volume" in to ? { kind: "volume", name: to.volume } : { kind: "directory", path: resolve(to.directory) };
}

/** Returns the point in time to restore; undefined for a whole backup or everything. */
async function pointOf(location: BackupLocation, options: RestoreOptions): Promise<RequestedPoint | undefined> {
  const { target, exclusive = false, timeline } = options;
  if (target !== undefined && !("backup" in target))
    return { target: await pointTarget(location, target), inclusive: !exclusive, timeline };
  if (!exclusive && timeline === undefined) return undefined;
  throw new OperationError("`exclusive` and `timeline` need a point in time as `target`.", {
    exitCode: exitCode.usage,
  });
}

async function pointTarget(
  location: BackupLocation,
  target: Exclude<RestoreTarget, { backup: string }>,
): Promise<RequestedPoint["target"]> {
  if ("time" in target) return { kind: "time", text: target.time };
  if ("restorePoint" in target) return { kind: "restore-point", name: target.restorePoint };
  if ("beforeDeploy" in target)
    return { kind: "restore-point", name: await pointBefore(location, target.beforeDeploy) };
  if ("xid" in target) return { kind: "xid", xid: numberIn(target.xid) };
  if ("lsn" in target) {
    const { parseLsn } = await import("../backup/wal.ts");
    try {
      return { kind: "lsn", lsn: parseLsn(target.lsn) };
    } catch (cause) {
      throw new OperationError(`"${target.lsn}" is not a position in the WAL, such as 0/30A0B28.`, {
        ...{ cause, exitCode: exitCode.usage },
      });
    }
  }
  const { beforeMigration, database } = target;
  return { kind: "before-migration", number: beforeMigration.padStart(6, "0"), database };
}

/** Returns the name of the restore point just before a deploy. */
async function pointBefore(location: BackupLocation, deploy: number | "last"): Promise<string> {
  const { withBackups } = await import("./with-backups.ts");
  const { chooseDeploy, listDeploys } = await import("../backup/deploys.ts");
  const deploys = await withBackups(location, listDeploys);
  return chooseDeploy(deploys, location.owner.stack, deploy).restorePoint;
}

function numberIn(xid: string | number | bigint): bigint {
  if (/^\d{1,20}$/.test(String(xid))) return BigInt(xid);
  throw new OperationError(`"${xid}" is not the number of a transaction.`, { exitCode: exitCode.usage });
}
