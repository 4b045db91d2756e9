import { lstat, readdir, realpath, rm, rmdir } from "node:fs/promises";
import { basename, dirname, join, sep } from "node:path";
import { unlessAbsent } from "../../core/absent.ts";
import { bytesIn } from "../../core/bytes-in.ts";
import { exitCode, OperationError } from "../../core/operation-error.ts";
import { isSameDirectory } from "../../core/same-directory.ts";
import { clusterState } from "../../server/cluster.ts";
import { exchangeFile, siblingClusters } from "../../server/cluster-exchange.ts";
import { assertOwnToStop, claimOfOther, folderOfLastServer } from "../../server/data-directory-claim.ts";
import { stopServer } from "../../server/embedded.ts";
import { type ServerPlace, serverDirectory } from "../../server/locations.ts";
import { findPostmaster, type Postmaster } from "../../server/postmaster.ts";
import { withServerLock } from "../../server/server-lock.ts";
import { isCloneGone, readServerRecord, type ServerOwner } from "../../server/server-record.ts";
import { deleteCluster, isPartlyDeleted, type Remains } from "./cluster-files.ts";

/** A server that was found on this machine. */
export interface FoundServer extends ServerPlace {
  running: Postmaster | undefined;
  /** True if there is data, or the rest of a deletion that was killed. */
  hasData: boolean;
  /** Size on disk in bytes: of the data directory, or of the server's folder if there is no cluster. */
  bytes: number;
}

/** Facts that decide if a server belongs to a stack. */
export interface Ownership {
  /** See `dataHome`. */
  home: string;
  owner: ServerOwner;
  /** Folder of the stack's server, named for this project directory. */
  folder: string;
  /**
   * Data directories of an unfinished erasure. All that is left there may be files that do not belong to PostgreSQL.
   */
  begun: readonly string[];
}

/**
 * Finds the server at a location that a stack claims as its own.
 *
 * @returns undefined if nothing is there
 * @throws OperationError (not allowed) if files cannot be shown to be this server's
 */
export async function findServer(ownership: Ownership, place: ServerPlace): Promise<FoundServer | undefined> {
  await requireOwn(ownership, place);
  const isCluster = (await clusterState(place.dataDirectory)).kind === "cluster";
  const hasData = isCluster || (await isPartlyDeleted(place.dataDirectory));
  if (!hasData && (await unlessAbsent(lstat(place.folder))) === undefined) return undefined;
  return {
    ...place,
    running: await findPostmaster(place.dataDirectory),
    hasData,
    bytes: await bytesIn(isCluster ? place.dataDirectory : place.folder),
  };
}

/**
 * Stops a server of a stack.
 *
 * @returns true if it was running
 * @throws OperationError (not allowed) if another stack's server runs there now
 */
export function stopOwn(home: string, owner: ServerOwner, { folder, dataDirectory }: ServerPlace): Promise<boolean> {
  return stopServer(home, { data: dataDirectory, log: serverDirectory(folder).log }, owner);
}

/**
 * Deletes a stopped server with its data and its log. It can be run again after an interruption at any point.
 *
 * @throws OperationError if it runs, or if its files cannot be shown to be its own; then nothing is deleted
 */
export async function eraseServer(ownership: Ownership, place: ServerPlace): Promise<Remains> {
  const { folder, dataDirectory } = place;
  // Checked before the lock creates the server's folder, and again when no other run can change anything.
  await requireOwn(ownership, place);
  const remains = await withServerLock(folder, async () => {
    await requireOwn(ownership, place);
    const running = await findPostmaster(dataDirectory);
    if (running !== undefined) {
      throw new OperationError(
        `A server is running on ${dataDirectory} again (pid ${running.pid}). Nothing was deleted.`,
        {
          hint: "Another run has just started it. Wait for that run to end, then erase again.",
        },
      );
    }
    const left = await deleteCluster(dataDirectory);
    // Those that restores in place kept.
    for (const { path } of await siblingClusters(dataDirectory)) {
      const { foreign, linked } = await deleteCluster(path);
      left.foreign.push(...foreign);
      left.linked.push(...linked);
    }
    await rm(exchangeFile(dataDirectory), { force: true });
    // This run holds the lock until the end. If the data directory still exists, it is a different one, or has files
    // that do not belong to PostgreSQL.
    const kept = ["lock", basename(serverDirectory(folder).data)];
    for (const name of (await readdir(folder)).filter((each) => !kept.includes(each)))
      await rm(join(folder, name), { recursive: true, force: true });
    return left;
  });
  await rmdir(folder).catch((error: NodeJS.ErrnoException) => {
    // Some files stay, or another run creates a server there again.
    if (!["ENOENT", "ENOTEMPTY", "EEXIST"].includes(error.code ?? "")) throw error;
  });
  return remains;
}

async function requireOwn(ownership: Ownership, { folder, dataDirectory }: ServerPlace): Promise<void> {
  const servers = join(ownership.home, "servers");
  if (dirname(folder) !== servers) {
    throw refusal(`The server's folder ${folder} is not below ${servers}.`, "Set XDG_DATA_HOME as it was at `up`.");
  }
  await requireNoLink(folder);
  await requireNoLink(dataDirectory);
  if (folder !== ownership.folder) await requireMoved(ownership, folder);
  const state = await clusterState(dataDirectory);
  if (state.kind === "foreign" && !ownership.begun.includes(dataDirectory)) {
    throw refusal(
      `${dataDirectory} contains files, but no PostgreSQL cluster (no PG_VERSION).`,
      "If these are files of a damaged cluster, delete them by hand. Otherwise correct pgroundwork:dataDirectory.",
    );
  }
  if (state.kind !== "cluster") return;
  await requireUnclaimed(ownership, dataDirectory);
  if (!isInside(folder, dataDirectory)) await requireRunHere(folder, dataDirectory);
}

/**
 * Refuses data of another stack. If a stack names another one's data directory, the data belongs to it from then on, at
 * any location.
 */
async function requireUnclaimed({ owner }: Ownership, dataDirectory: string): Promise<void> {
  await assertOwnToStop(dataDirectory, owner);
  const other = await claimOfOther(dataDirectory, owner);
  if (other === undefined) return;
  const { clone, stack } = other.record;
  throw refusal(
    `The data in ${dataDirectory} belongs to stack "${stack}" of the project directory ${clone}, whose server last ran on it.`,
    "Erase it there. To adopt it here instead, run `npm run pgw -- destroy` without --erase, then `up`.",
  );
}

/**
 * Requires that this server was the last to run on a cluster outside its folder. The cluster's configuration has the
 * log folder of that server.
 */
async function requireRunHere(folder: string, dataDirectory: string): Promise<void> {
  const last = await folderOfLastServer(dataDirectory);
  if (last === folder) return;
  const whose = last === undefined ? "No server of pgroundwork has run on it" : `The server of ${last} ran on it last`;
  throw refusal(
    `The data in ${dataDirectory} may not belong to this stack. ${whose}.`,
    "Correct pgroundwork:dataDirectory. If the data does belong to this stack, run `up` once, then erase again.",
  );
}

/**
 * Refuses a folder that is named for another project directory, unless that one is gone. A copy of a project directory
 * has the state of the original.
 */
async function requireMoved({ owner }: Ownership, folder: string): Promise<void> {
  if ((await unlessAbsent(lstat(folder))) === undefined) return;
  const maker = (await readServerRecord(folder))?.clone;
  if (maker !== undefined && ((await isSameDirectory(maker, owner.clone)) || (await isCloneGone(maker)))) return;
  const whose = maker === undefined ? "another project directory" : `the project directory ${maker}`;
  throw refusal(
    `The server in ${folder} belongs to ${whose}, and this project directory may be a copy of it.`,
    "Erase it there. If this project directory was moved and the other is gone, run `destroy` without --erase, then delete that folder by hand.",
  );
}

async function requireNoLink(path: string): Promise<void> {
  if (!(await unlessAbsent(lstat(path)))?.isSymbolicLink()) return;
  throw refusal(
    `${path} is a symbolic link to ${await realpath(path).catch(() => "a path that does not exist")}.`,
    "Symbolic links are not followed when data is deleted. Replace the link with the folder itself, then erase again.",
  );
}

function refusal(what: string, hint: string): OperationError {
  return new OperationError(`${what} Nothing was deleted.`, { hint, exitCode: exitCode.notAllowed });
}

function isInside(folder: string, path: string): boolean {
  return path === folder || path.startsWith(folder + sep);
}
