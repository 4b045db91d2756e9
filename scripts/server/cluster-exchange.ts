import { lstat, readdir, readFile, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { leadsNowhere, unlessAbsent } from "../core/absent.ts";
import { flushFolder, writeFileAtomically } from "../core/atomic-file.ts";
import { OperationError } from "../core/operation-error.ts";
import { findPostmaster } from "./postmaster.ts";

/*
 * A restore in place works with folders next to a data directory:
 *
 *   data.restoring-<time>   a restored and verified cluster (`….unfinished` while it is restored)
 *   data.before-<time>      the former cluster, complete
 *   data.undone-<time>      the restored cluster, after an undo
 *   data.removing-<time>    a cluster that is being removed
 *
 * Two renames exchange the data directory with one of them. A file with both names makes that certain: a command that
 * finds the file completes the exchange before it uses the data directory.
 */

/** Roles of the folders, as in their names. */
export type ClusterRole = "restoring" | "before" | "undone" | "removing";

/** A cluster beside a data directory. */
export interface SiblingCluster {
  role: ClusterRole;
  time: string;
  path: string;
}

/** Paths of two clusters that change places with the data directory. */
interface Exchange {
  /** Cluster that becomes the data directory. */
  incoming: string;
  /** New path of the former one. */
  outgoing: string;
}

/** Returns the path of a cluster beside a data directory. */
export function siblingPath(data: string, role: ClusterRole, time: string): string {
  return `${data}.${role}-${time}`;
}

/** Lists the clusters beside a data directory. */
export async function siblingClusters(data: string): Promise<SiblingCluster[]> {
  const parent = dirname(data);
  const names = (await unlessAbsent(readdir(parent))) ?? [];
  return names.flatMap((name) => {
    if (!name.startsWith(`${basename(data)}.`)) return [];
    const [, role, time] =
      /^\.(restoring|before|undone|removing)-(\w+)(?:\.unfinished)?$/.exec(name.slice(basename(data).length)) ?? [];
    return time === undefined ? [] : [{ role: role as ClusterRole, time, path: join(parent, name) }];
  });
}

/** Returns the file that says which clusters are being exchanged. */
export function exchangeFile(data: string): string {
  return `${data}.exchange`;
}

/**
 * Exchanges a data directory with a cluster beside it, while no server runs on either. Call it under the server's lock.
 *
 * @throws OperationError if the data directory cannot be renamed; then nothing was changed
 */
export async function exchangeClusters(data: string, exchange: Exchange): Promise<void> {
  writeFileAtomically(exchangeFile(data), `${JSON.stringify(exchange)}\n`, { mode: 0o600 });
  await flushFolder(dirname(data));
  await completeExchange(data);
}

/** Returns true if a folder cannot be used at all. What uses the data directory then says so. */
function isUnusable(error: unknown): boolean {
  return leadsNowhere(error) || (error instanceof Error && "code" in error && error.code === "EACCES");
}

/** Reads which clusters are being exchanged. undefined: none are. */
async function readExchange(data: string): Promise<Exchange | undefined> {
  const text = await unlessAbsent(readFile(exchangeFile(data), "utf8"), isUnusable);
  return text === undefined ? undefined : (JSON.parse(text) as Exchange);
}

/** Returns true if a command was killed while it exchanged a data directory. */
export async function isExchanging(data: string): Promise<boolean> {
  return (await readExchange(data)) !== undefined;
}

/**
 * Completes an exchange in which a command was killed. If a server was started on the former cluster meanwhile, the
 * exchange is given up. Call it under the server's lock.
 *
 * @returns true if there was one
 */
export async function completeExchange(data: string): Promise<boolean> {
  const exchange = await readExchange(data);
  if (exchange === undefined) return false;
  const { incoming, outgoing } = exchange;
  const isThere = async (path: string) => (await unlessAbsent(lstat(path))) !== undefined;
  if (!(await isThere(outgoing)) && (await isThere(incoming)) && (await findPostmaster(data)) === undefined)
    await setAside(data, outgoing);
  if (!(await isThere(data))) await rename((await isThere(incoming)) ? incoming : outgoing, data);
  await flushFolder(dirname(data));
  await rm(exchangeFile(data), { force: true });
  return true;
}

async function setAside(data: string, outgoing: string): Promise<void> {
  try {
    if ((await lstat(data)).isSymbolicLink()) throw new Error("it is a symbolic link");
    await rename(data, outgoing);
    await flushFolder(dirname(data));
  } catch (cause) {
    await rm(exchangeFile(data), { force: true });
    throw new OperationError(`The data directory ${data} cannot be exchanged: ${(cause as Error).message}.`, {
      hint: "Restore to a folder instead (--to), and set pgroundwork:dataDirectory to it. Nothing was changed.",
      cause,
    });
  }
}
