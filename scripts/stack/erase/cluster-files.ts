import { randomUUID } from "node:crypto";
import { lstat, readdir, readlink, rename, rm, rmdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { unlessAbsent } from "../../core/absent.ts";
import { OperationError } from "../../core/operation-error.ts";
import { isTemporary } from "../../core/temporary.ts";
import { clusterState } from "../../server/cluster.ts";

/**
 * Entries of a data directory that belong to PostgreSQL or this kit (PostgreSQL's documentation, 65.1, and its backup
 * and recovery files).
 */
const ownEntries = new Set([
  ...["PG_VERSION", "base", "global", "current_logfiles", "postmaster.opts", "postmaster.pid"],
  ...["postgresql.conf", "postgresql.auto.conf", "postgresql.auto.conf.tmp", "pg_hba.conf", "pg_ident.conf"],
  ...["pgroundwork.conf", "pgroundwork.conf.new", "pg_internal.init", "lost+found"],
  ...["backup_label", "backup_label.old", "tablespace_map", "tablespace_map.old", "backup_manifest"],
  ...["recovery.signal", "standby.signal", "recovery.done", "promote", "fallback_promote"],
]);
const ownFolder =
  /^pg_(commit_ts|dynshmem|logical|multixact|notify|replslot|serial|snapshots|stat|stat_tmp|subtrans|tblspc|twophase|wal|xact)$/;

/** Files and folders that remain after a data directory is erased. */
export interface Remains {
  /** Files in it that do not belong to PostgreSQL. They stay where they are. */
  foreign: string[];
  /** Folders elsewhere that it reached by symbolic links: tablespaces, or the write-ahead log. */
  linked: string[];
}

/**
 * Deletes a cluster whose server is stopped. A folder that is not a cluster (no PG_VERSION) stays. The folder is
 * renamed first. So a deletion that is killed never leaves half a data directory under its name. The next deletion
 * continues with the renamed folder. Nothing is deleted through a symbolic link.
 *
 * @throws OperationError
 */
export async function deleteCluster(dataDirectory: string): Promise<Remains> {
  const remains: Remains = { foreign: await foreignIn(dataDirectory), linked: [] };
  if (remains.foreign.length === 0) await setAside(dataDirectory);
  for (const aside of await setAsideBefore(dataDirectory)) {
    const { foreign, linked } = await empty(aside);
    remains.linked.push(...linked);
    if (foreign.length === 0) await rmdir(aside);
    else remains.foreign.push(...(await putBack(aside, dataDirectory, foreign)));
  }
  return remains;
}

/** Returns true if an earlier deletion of the data directory was killed. */
export async function isPartlyDeleted(dataDirectory: string): Promise<boolean> {
  return (await setAsideBefore(dataDirectory)).length > 0;
}

/** Lists all files in a folder that is not a cluster. At most, an earlier deletion has put them back. */
async function foreignIn(dataDirectory: string): Promise<string[]> {
  if ((await clusterState(dataDirectory)).kind !== "foreign") return [];
  return (await readdir(dataDirectory)).map((name) => join(dataDirectory, name));
}

async function setAside(dataDirectory: string): Promise<void> {
  try {
    await rename(dataDirectory, `${dataDirectory}.erased-${randomUUID()}`);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return;
    throw new OperationError(`Cannot rename the data directory ${dataDirectory} before it is deleted: ${message}`, {
      hint:
        code === "EBUSY" || code === "EXDEV"
          ? "It is a mount point. Delete its contents by hand, or unmount it. Then erase again."
          : `Make ${dirname(dataDirectory)} writable for this user, then erase again. Nothing was deleted.`,
      cause: error,
    });
  }
}

/** Lists the folders to which {@link setAside} has renamed the data directory. */
async function setAsideBefore(dataDirectory: string): Promise<string[]> {
  const parent = dirname(dataDirectory);
  const prefix = `${basename(dataDirectory)}.erased-`;
  const entries = (await unlessAbsent(readdir(parent, { withFileTypes: true }))) ?? [];
  return entries
    .filter((entry) => entry.isDirectory() && entry.name.startsWith(prefix) && isUuid(entry.name.slice(prefix.length)))
    .map(({ name }) => join(parent, name));
}

function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);
}

/** Deletes PostgreSQL's files in a folder. */
async function empty(folder: string): Promise<Remains> {
  const linked = await linksOf(folder);
  const names = await readdir(folder);
  const isOwn = (name: string) => ownEntries.has(name) || ownFolder.test(name) || isTemporary(name);
  // Deletes symbolic links themselves, not their targets.
  for (const name of names.filter(isOwn)) await rm(join(folder, name), { recursive: true, force: true });
  return { foreign: names.filter((name) => !isOwn(name)), linked };
}

async function linksOf(folder: string): Promise<string[]> {
  const candidates = [
    ...(await readdir(folder, { withFileTypes: true })),
    ...((await unlessAbsent(readdir(join(folder, "pg_tblspc"), { withFileTypes: true }))) ?? []),
  ];
  const links = candidates.filter((entry) => entry.isSymbolicLink());
  return Promise.all(links.map((entry) => readlink(join(entry.parentPath, entry.name))));
}

/** Returns foreign files to where they were found. */
async function putBack(aside: string, dataDirectory: string, foreign: readonly string[]): Promise<string[]> {
  const isFree = (await unlessAbsent(lstat(dataDirectory))) === undefined;
  if (isFree) await rename(aside, dataDirectory);
  return foreign.map((name) => join(isFree ? dataDirectory : aside, name));
}
