import { randomUUID } from "node:crypto";
import { lstat, readdir, readlink, rename, rm, rmdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { OperationError } from "../errors/operation-error.ts";
import { unlessAbsent } from "../files/absent.ts";
import { clusterState } from "../server/cluster.ts";

/** What PostgreSQL and this kit put into a data directory (PostgreSQL's documentation, 65.1, and its backup and recovery files). */
const ownEntries = new Set([
  ...["PG_VERSION", "base", "global", "current_logfiles", "postmaster.opts", "postmaster.pid"],
  ...["postgresql.conf", "postgresql.auto.conf", "postgresql.auto.conf.tmp", "pg_hba.conf", "pg_ident.conf"],
  ...["pgroundwork.conf", "pgroundwork.conf.new", "pg_internal.init", "lost+found"],
  ...["backup_label", "backup_label.old", "tablespace_map", "tablespace_map.old", "backup_manifest"],
  ...["recovery.signal", "standby.signal", "recovery.done", "promote", "fallback_promote"],
]);
const ownFolder =
  /^pg_(commit_ts|dynshmem|logical|multixact|notify|replslot|serial|snapshots|stat|stat_tmp|subtrans|tblspc|twophase|wal|xact)$/;

/** What erasing a data directory does not delete. */
export interface Remains {
  /** Files of somebody else's in it, which stay where they are. */
  foreign: string[];
  /** Folders elsewhere that it reached by symbolic links: tablespaces, or the write-ahead log. */
  linked: string[];
}

/**
 * Deletes a cluster whose server is stopped; what is no cluster (no PG_VERSION) stays. It is renamed aside first, whole: a deletion that is killed leaves
 * no half of a data directory where a server looks for one, and the next one goes on with what was set aside. Nothing is deleted through a symbolic link.
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

/** Whether an earlier deletion of it was killed on the way. */
export async function isPartlyDeleted(dataDirectory: string): Promise<boolean> {
  return (await setAsideBefore(dataDirectory)).length > 0;
}

/** Everything in a folder that is none of PostgreSQL's: at most what an earlier deletion put back. */
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
    throw new OperationError(`The data directory ${dataDirectory} cannot be set aside: ${message}`, {
      remedy:
        code === "EBUSY" || code === "EXDEV"
          ? "It is a mount point. Delete what is in it by hand, or unmount it, then erase again."
          : `Make ${dirname(dataDirectory)} writable for this user, then erase again. Nothing was deleted.`,
      cause: error,
    });
  }
}

/** Folders that {@link setAside} made of it. */
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

/** Deletes what is PostgreSQL's in a folder. */
async function empty(folder: string): Promise<Remains> {
  const linked = await linksOf(folder);
  const names = await readdir(folder);
  const isOwn = (name: string) => ownEntries.has(name) || ownFolder.test(name);
  // A link is deleted as one: what it points to is not touched.
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

/** Leaves foreign files where they were found. */
async function putBack(aside: string, dataDirectory: string, foreign: readonly string[]): Promise<string[]> {
  const isFree = (await unlessAbsent(lstat(dataDirectory))) === undefined;
  if (isFree) await rename(aside, dataDirectory);
  return foreign.map((name) => join(isFree ? dataDirectory : aside, name));
}
