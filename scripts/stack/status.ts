import { join } from "node:path";
import type { Connection } from "../connection/connection.ts";
import { OperationError } from "../core/operation-error.ts";
import { databaseFolder } from "../databases/database-file.ts";
import { jobFault } from "../databases/job-state.ts";
import type { MigrationProblem } from "../migrate/status.ts";
import type { StackOutputs } from "../model/stack-outputs.ts";
import type { PendingSeed } from "../seed/info.ts";
import { type BackupState, readBackupState } from "./backup-state.ts";
import { declaredSettings } from "./declared-settings.ts";
import { type DumpsState, readDumpsState } from "./dump-state.ts";
import { readStackJobs, type StackJobs } from "./job-state.ts";
import { isForgotten, type KeptClusters, readKeptClusters } from "./kept-clusters.ts";
import { connectionTo } from "./outputs.ts";
import { projectName } from "./project.ts";
import {
  type ContainerState,
  type LowDisk,
  readContainers,
  readLowDisk,
  readServerState,
  type ServerState,
} from "./server-state.ts";

/** A value, or the reason why it is not known. */
type Known<T> = ({ known: true } & T) | { known: false; reason: string };

/** State of a stack: what runs, how to reach it, and what is pending. Contains no password. */
export interface StackStatus {
  stack: string;
  /** True if the stack holds real data. */
  protected: boolean;
  server: ServerState & { kind: string; host: string; port: number; sslmode: string };
  /** Null if the disk of the server's data has enough space, or could not be measured. */
  disk: LowDisk | null;
  /** Clusters that in-place restores keep beside the stack's own. */
  keptClusters: KeptClusters;
  /** Other containers of the stack: backups, monitoring. */
  containers: Known<{ containers: ContainerState[] }>;
  databases: DatabaseStatus[];
  /** Databases in the settings that `up` has not created yet. */
  notCreated: string[];
  /** Null if the stack makes no backups. */
  backups: BackupState | null;
  /** Dumps that `backup dump --due` makes. Null if none are planned, or if the backup container makes them. */
  dumps: DumpsState | null;
  /** Null if no database has jobs. */
  jobs: StackJobs | null;
}

/** State of one database of a stack. */
export interface DatabaseStatus {
  name: string;
  /** Roles that can log in, by their short names: `app` is `<database>_app`. */
  roles: Record<string, string>;
  migrations: Known<{ applied: number; pending: string[]; problems: MigrationProblem[] }>;
  seeds: Known<{ pending: PendingSeed[] }>;
}

/**
 * Reads the state of a stack that was brought up. Only reads.
 *
 * @param root project directory
 * @param env environment that names the folder of dumps
 */
export async function readStackStatus(
  outputs: StackOutputs,
  root: string,
  stack: string,
  env: NodeJS.ProcessEnv,
): Promise<StackStatus> {
  const { kind, host, port, sslmode } = outputs.server;
  const owner = { project: await projectName(root), stack };
  const names = Object.keys(outputs.databases);
  const [server, disk, keptClusters, containers, backups, dumps, settings] = await Promise.all([
    readServerState(outputs),
    readLowDisk(outputs.server),
    readKeptClusters(outputs.server, new Date()),
    readContainers(outputs, owner),
    readBackupState(outputs.server, new Date()),
    readDumpsState(outputs, { root, name: stack, env }, new Date()),
    declaredSettings(root, stack),
  ]);
  const databases = await Promise.all(names.map((name) => readDatabase(outputs, root, stack, name, server)));
  const jobs = server.state === "running" ? await readStackJobs(outputs, root, stack) : null;
  const notCreated = settings.databases.filter((name) => !names.includes(name));
  const address = { kind, host, port, sslmode };
  return {
    stack,
    protected: outputs.protected,
    server: { ...server, ...address },
    disk,
    keptClusters,
    containers,
    databases,
    notCreated,
    backups,
    dumps,
    jobs,
  };
}

async function readDatabase(
  outputs: StackOutputs,
  root: string,
  stack: string,
  name: string,
  server: ServerState,
): Promise<DatabaseStatus> {
  const { logins = {}, seeds: sets = [] } = outputs.databases[name] ?? {};
  const roles = Object.fromEntries(Object.entries(logins).map(([role, { user }]) => [role, user]));
  if (server.state !== "running") {
    const reason = server.state === "stopped" ? "the server is stopped" : "the server could not be asked";
    return { name, roles, migrations: { known: false, reason }, seeds: { known: false, reason } };
  }
  const connection = connectionTo(outputs, stack, name, "migrator");
  const folder = databaseFolder(join(root, "migrations"), name);
  const [migrations, seeds] = await Promise.all([
    orReason(() => readMigrations(connection, folder)),
    orReason(() =>
      readSeeds(
        connection,
        folder,
        sets.map(({ set }) => set),
      ),
    ),
  ]);
  return { name, roles, migrations, seeds };
}

async function readMigrations(connection: Connection, folder: string): Promise<DatabaseStatus["migrations"]> {
  const { readStatus } = await import("../migrate/verify.ts");
  const status = await readStatus(connection, folder);
  if (!status.known) return status;
  const pending = status.pending.map(({ filename }) => filename);
  return { known: true, applied: status.applied.length, pending, problems: status.problems };
}

async function readSeeds(
  connection: Connection,
  folder: string,
  sets: readonly string[],
): Promise<DatabaseStatus["seeds"]> {
  const { readSeedInfo } = await import("../seed/info.ts");
  const info = await readSeedInfo(connection, folder, sets);
  if (!info.known) return info;
  const pending = info.files.flatMap(({ set, filename, state }): PendingSeed[] =>
    state === "current" ? [] : [{ set, filename, state }],
  );
  return { known: true, pending };
}

/** Returns the message of an error for users as the reason why the answer is not known. */
async function orReason<T>(read: () => Promise<Known<T>>): Promise<Known<T>> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return { known: false, reason: error.message };
  }
}

/** Returns `wrong` if something is wrong or not known, `pending` if an `up` has work to do, otherwise `done`. */
export function verdictOn(status: StackStatus): "done" | "pending" | "wrong" {
  const { server, disk, keptClusters, containers, databases, notCreated, backups, dumps, jobs } = status;
  const isSound =
    server.state === "running" &&
    disk?.full !== true &&
    keptClusters.known &&
    (keptClusters.begun === undefined || keptClusters.begun === "running") &&
    containers.known &&
    containers.containers.every(({ running }) => running) &&
    databases.every(({ migrations, seeds }) => migrations.known && migrations.problems.length === 0 && seeds.known) &&
    (backups === null || (backups.known && backups.findings.length === 0)) &&
    (dumps === null || dumps.findings.length === 0) &&
    (jobs === null || (jobs.known && jobs.jobs.every((job) => jobFault(job) === undefined)));
  if (!isSound) return "wrong";
  const hasWork = databases.some(
    ({ migrations, seeds }) =>
      (migrations.known && migrations.pending.length > 0) || (seeds.known && seeds.pending.length > 0),
  );
  const hasJobs = jobs?.known === true && jobs.pending.length > 0;
  const isWarned = keptClusters.known && keptClusters.clusters.some(isForgotten);
  return hasWork || hasJobs || isWarned || notCreated.length > 0 ? "pending" : "done";
}
