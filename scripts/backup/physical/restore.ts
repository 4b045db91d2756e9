import { lchown, readdir, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { unlessAbsent } from "../../core/absent.ts";
import { flushFolder } from "../../core/atomic-file.ts";
import { exitCode, OperationError } from "../../core/operation-error.ts";
import { isOpenToAll } from "../../scratch/embedded-cluster.ts";
import { type Account, serverAccount } from "../../server/account.ts";
import { diskSpaceAt } from "../../server/disk-space.ts";
import { openFile } from "../dump/dump-file.ts";
import { markText, unfinishedMark } from "../restore/begun-restore.ts";
import { type ClusterContents, readContents, type SocketServer } from "../restore/contents.ts";
import { extractDirectory } from "../restore/extract-directory.ts";
import type { ArchivedDatabase, ArchiveMetadata } from "./metadata.ts";
import { withServerOn } from "./scratch-server.ts";
import { type DescribedArchive, findDamage } from "./store.ts";

/** A physical archive that cannot be restored. The message has the reason. */
export class UnusableArchive extends OperationError {}

/** Options of {@link restoreArchive}. */
export interface RestoreArchiveOptions {
  /** New or empty folder. */
  to: string;
  /** File with the private key, if the archive is encrypted. */
  identityFile: string | undefined;
  /** The current process: see `ownHolder`. */
  holder: string;
  signal: AbortSignal;
  onStep: (step: string) => void;
  /** Changes the restored cluster after its rows were read, while its server runs. */
  change?: ((server: SocketServer) => Promise<void>) | undefined;
}

/** A restored cluster, on which a server ran. */
export interface RestoredArchive extends ClusterContents {
  id: string;
  systemIdentifier: string;
  /** Timeline on which the restored cluster continues. */
  timeline: number;
  /** All databases, with their applied migrations. */
  migrations: ArchivedDatabase[];
}

/**
 * Restores a physical archive to a new folder: compares its checksum, extracts it, starts a server on it, reads every
 * row of every database, and compares identity, databases and migrations with those that were archived. The folder
 * exists only if all of that succeeded.
 *
 * @throws UnusableArchive with the reason; then nothing is left
 */
export async function restoreArchive(
  archive: DescribedArchive,
  { to, identityFile, holder, signal, onStep, change }: RestoreArchiveOptions,
): Promise<RestoredArchive> {
  const { metadata, path } = archive;
  onStep("comparing the checksum");
  const damage = archive.reasons[0] ?? (await findDamage(archive, signal));
  if (damage !== undefined) throw unusable(metadata, damage);
  await requireSpace(metadata, dirname(to));
  await requireOpen(dirname(to));
  onStep("extracting the archive");
  const stream = await openFile(join(path, metadata.file.name), identityFile);
  try {
    const restored = await extractDirectory(stream, to, markText(holder), signal, (folder) =>
      proveArchive(metadata, folder, { signal, onStep, change }),
    );
    await flushFolder(dirname(to));
    if (restored === undefined) throw new Error("the extracted cluster was not examined");
    return restored;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof OperationError) throw error;
    throw unusable(metadata, `it cannot be extracted: ${(error as Error).message}`, error);
  }
}

/** Starts a server on an extracted cluster, and compares what it has with the description. */
async function proveArchive(
  metadata: ArchiveMetadata,
  folder: string,
  { signal, onStep, change }: Pick<RestoreArchiveOptions, "signal" | "onStep" | "change">,
): Promise<RestoredArchive> {
  await requireSegments(metadata, folder);
  // With it, the recovery ends on a new timeline: the live cluster may have gone on along the archived one.
  await writeFile(join(folder, "recovery.signal"), "");
  await giveTo(folder, await serverAccount(process.getuid?.()));
  onStep("starting a server on it for recovery");
  const work = async (server: SocketServer) => {
    const identity = await readIdentity(server);
    onStep("reading every row");
    const contents = await readContents(server, signal);
    const migrations = await readMigrations(server, contents);
    await change?.(server);
    return { id: metadata.id, ...identity, ...contents, migrations };
  };
  const restored = await withServerOn(folder, signal, work).catch((error: unknown) => {
    signal.throwIfAborted();
    if (!(error instanceof OperationError)) throw error;
    throw unusable(metadata, error.message, error);
  });
  // Files of the backup and of this server.
  for (const name of ["backup_label.old", "postmaster.opts"]) await rm(join(folder, name), { force: true });
  const isRead = (name: string) => !restored.unproven.some(({ database }) => database === name);
  const readable = metadata.databases.filter(({ name }) => isRead(name));
  const differences = [
    ...restored.unproven.map(({ database, reason }) => `the database "${database}" cannot be read: ${reason}`),
    ...compareWith({ ...metadata, databases: readable }, restored),
  ];
  if (differences.length > 0) throw unusable(metadata, differences.join("; "));
  return restored;
}

/** Requires the WAL without which a copy is not consistent. */
async function requireSegments({ segments, segmentBytes, id }: ArchiveMetadata, folder: string): Promise<void> {
  for (const name of segments) {
    const found = await unlessAbsent(stat(join(folder, "pg_wal", name)));
    if (found?.size !== segmentBytes)
      throw unusable({ id }, `the WAL segment ${name} is ${found === undefined ? "missing" : "incomplete"}`);
  }
}

/** Gives a folder to the account that runs PostgreSQL. */
async function giveTo(folder: string, account: Account | undefined): Promise<void> {
  if (account === undefined) return;
  await lchown(folder, account.uid, account.gid);
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }))
    await lchown(join(entry.parentPath, entry.name), account.uid, account.gid);
  // The mark stays that of this process.
  await lchown(join(folder, unfinishedMark), process.getuid?.() ?? account.uid, process.getgid?.() ?? account.gid);
}

async function readIdentity(server: SocketServer): Promise<{ systemIdentifier: string; timeline: number }> {
  const [found] = await server.query<{ systemIdentifier: string; timeline: number }>(
    `select (select system_identifier::text from pg_control_system()) as "systemIdentifier",
            (select timeline_id from pg_control_checkpoint()) as timeline`,
  );
  if (found === undefined) throw new Error("the restored server did not describe itself");
  return found;
}

async function readMigrations(server: SocketServer, { databases }: ClusterContents): Promise<ArchivedDatabase[]> {
  const found: ArchivedDatabase[] = [];
  // Snapshots accept no connections. The description of the archive does not list them.
  const open = await server.query<{ name: string }>("select datname as name from pg_database where datallowconn");
  const names = new Set(open.map(({ name }) => name));
  for (const { database } of databases.filter((each) => names.has(each.database))) {
    const table = "select to_regclass('graphile_migrate.migrations') is not null as \"isThere\"";
    const [answer] = await server.query<{ isThere: boolean }>(table, database);
    const query = "select filename from graphile_migrate.migrations order by filename";
    const rows = answer?.isThere === true ? await server.query<{ filename: string }>(query, database) : undefined;
    found.push({ name: database, migrations: rows?.map(({ filename }) => filename) ?? null });
  }
  return found;
}

/** Compares a restored cluster with its description. Returns the differences. */
export function compareWith(
  expected: Pick<ArchiveMetadata, "systemIdentifier" | "databases">,
  restored: Pick<RestoredArchive, "systemIdentifier" | "migrations">,
): string[] {
  const { systemIdentifier } = restored;
  const differences =
    systemIdentifier === expected.systemIdentifier
      ? []
      : [`the system identifier is ${systemIdentifier} instead of ${expected.systemIdentifier}`];
  for (const { name, migrations } of expected.databases) {
    const found = restored.migrations.find((each) => each.name === name);
    const missing = migrations?.filter((file) => !found?.migrations?.includes(file)) ?? [];
    if (found === undefined) differences.push(`the database "${name}" is missing`);
    else if (missing.length > 0) differences.push(`the database "${name}" lacks migrations: ${missing.join(", ")}`);
  }
  return differences;
}

/** @throws OperationError if PostgreSQL, which does not run as root, could not enter the folder */
async function requireOpen(folder: string): Promise<void> {
  if ((await serverAccount(process.getuid?.())) === undefined) return;
  if ((await unlessAbsent(isOpenToAll(folder))) !== false) return;
  throw new OperationError(`For root, PostgreSQL runs as the account pgroundwork, which cannot enter ${folder}.`, {
    hint: "Name a folder elsewhere, or allow it: chmod o+x. Nothing was changed.",
    exitCode: exitCode.usage,
  });
}

/** Part of a cluster's size by which a server on it may grow it: its recovery writes WAL. */
const growth = 1.1;

/** @throws OperationError if the cluster does not fit */
async function requireSpace({ clusterBytes, segmentBytes }: ArchiveMetadata, folder: string): Promise<void> {
  const space = await diskSpaceAt(folder);
  const needed = Math.ceil(clusterBytes * growth) + 2 * segmentBytes;
  if (space === undefined || space.freeBytes >= needed) return;
  throw new OperationError(`The restored cluster needs ${needed} bytes, and ${folder} has ${space.freeBytes} free.`, {
    hint: "Free space there, or name a folder on another disk. Nothing was changed.",
  });
}

function unusable({ id }: Pick<ArchiveMetadata, "id">, reason: string, cause?: unknown): UnusableArchive {
  return new UnusableArchive(`The physical archive ${id} cannot be restored: ${reason.replace(/\.$/, "")}.`, {
    hint: "Nothing was changed. `npm run pgw -- backup list` shows the other archives.",
    cause,
  });
}
