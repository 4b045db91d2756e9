import { lstat, readdir, realpath, rm, rmdir } from "node:fs/promises";
import { basename, dirname, join, sep } from "node:path";
import { exitCode, OperationError } from "../errors/operation-error.ts";
import { unlessAbsent } from "../files/absent.ts";
import { bytesIn } from "../files/bytes-in.ts";
import { clusterState } from "../server/cluster.ts";
import { assertOwnToStop, claimOfOther, folderOfLastServer } from "../server/data-directory-claim.ts";
import { stopServer } from "../server/embedded.ts";
import { type ServerPlace, serverDirectory } from "../server/locations.ts";
import { findPostmaster, type Postmaster } from "../server/postmaster.ts";
import { withServerLock } from "../server/server-lock.ts";
import { isCloneGone, readServerRecord, type ServerOwner } from "../server/server-record.ts";
import { deleteCluster, isPartlyDeleted, type Remains } from "./cluster-files.ts";

/** What of a server is there. */
export interface FoundServer extends ServerPlace {
  running: Postmaster | undefined;
  /** Whether there is data, or the rest of a deletion that was killed. */
  hasData: boolean;
  /** What its data takes on the disk, or where there is none its folder, in bytes. */
  bytes: number;
}

/** What a server is held against before it counts as a stack's own. */
export interface Ownership {
  /** See `dataHome`. */
  home: string;
  owner: ServerOwner;
  /** The folder of the stack's server, as it is named for this clone. */
  folder: string;
  /** Data directories whose erasure was begun: files of others that were in one may be all that is left there. */
  begun: readonly string[];
}

/**
 * Looks at what is there of a server that is said to be a stack's own.
 *
 * @returns undefined: nothing
 * @throws OperationError (not allowed) for files that cannot be shown to be this server's
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
 * Stops a server of a stack's own. True where one was running.
 *
 * @throws OperationError (not allowed) where another stack's runs there by now
 */
export function stopOwn(home: string, owner: ServerOwner, { folder, dataDirectory }: ServerPlace): Promise<boolean> {
  return stopServer(home, { data: dataDirectory, log: serverDirectory(folder).log }, owner);
}

/**
 * Deletes a server that is stopped, with its data and its log. Safe to run again after an interruption at any point.
 *
 * @throws OperationError where it runs, or its files cannot be shown to be its own: nothing is deleted then
 */
export async function eraseServer(ownership: Ownership, place: ServerPlace): Promise<Remains> {
  const { folder, dataDirectory } = place;
  // Before the lock, which makes its folder, and again when no other run can change anything.
  await requireOwn(ownership, place);
  const remains = await withServerLock(folder, async () => {
    await requireOwn(ownership, place);
    const running = await findPostmaster(dataDirectory);
    if (running !== undefined) {
      throw new OperationError(`A server runs on ${dataDirectory} again (pid ${running.pid}): nothing was deleted.`, {
        remedy: "Another run has just started it. Let that one end, then erase again.",
      });
    }
    const left = await deleteCluster(dataDirectory);
    // The lock is this run's until the end. A data directory that is still there is another one than what was to be deleted, or has files of others in it.
    const kept = ["lock", basename(serverDirectory(folder).data)];
    for (const name of (await readdir(folder)).filter((each) => !kept.includes(each)))
      await rm(join(folder, name), { recursive: true, force: true });
    return left;
  });
  await rmdir(folder).catch((error: NodeJS.ErrnoException) => {
    // Files that stay, or another run that makes a server there anew.
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
      `${dataDirectory} holds files, but no PostgreSQL cluster (no PG_VERSION).`,
      "If they are a damaged cluster's, delete them by hand. Otherwise correct pgroundwork:dataDirectory.",
    );
  }
  if (state.kind !== "cluster") return;
  await requireUnclaimed(ownership, dataDirectory);
  if (!isInside(folder, dataDirectory)) await requireRunHere(folder, dataDirectory);
}

/** A stack that names another one's data directory has the data from then on, wherever it lies. */
async function requireUnclaimed({ owner }: Ownership, dataDirectory: string): Promise<void> {
  await assertOwnToStop(dataDirectory, owner);
  const other = await claimOfOther(dataDirectory, owner);
  if (other === undefined) return;
  const { clone, stack } = other.record;
  throw refusal(
    `The data in ${dataDirectory} is that of stack "${stack}" of the clone ${clone}, whose server ran on it last.`,
    "Erase it there. To take it back first: `npm run pgw -- destroy`, without --erase, then `up`.",
  );
}

/** A cluster at a place of the user's own choice names the folder of the server that ran on it last, as that of its log. */
async function requireRunHere(folder: string, dataDirectory: string): Promise<void> {
  const last = await folderOfLastServer(dataDirectory);
  if (last === folder) return;
  const whose = last === undefined ? "No server of this kit has run on it" : `The server of ${last} ran on it last`;
  throw refusal(
    `The data in ${dataDirectory} is not known to be this stack's. ${whose}.`,
    "Correct pgroundwork:dataDirectory. If it is this stack's all the same, bring the stack up once, then erase again.",
  );
}

/** A folder that is named for a clone in another place is this one's only where that other one is gone: a copy of a clone has the state of the original. */
async function requireMoved({ owner }: Ownership, folder: string): Promise<void> {
  if ((await unlessAbsent(lstat(folder))) === undefined) return;
  const maker = (await readServerRecord(folder))?.clone;
  if (maker !== undefined && (maker === owner.clone || (await isCloneGone(maker)))) return;
  const whose = maker === undefined ? "a clone in another place" : `the clone ${maker}`;
  throw refusal(
    `The server in ${folder} is that of ${whose}, and this may be a copy of it.`,
    "Erase it there. If this clone was moved and the other is gone: take the stack down (without --erase), then delete that folder by hand.",
  );
}

async function requireNoLink(path: string): Promise<void> {
  if (!(await unlessAbsent(lstat(path)))?.isSymbolicLink()) return;
  throw refusal(
    `${path} is a symbolic link to ${await realpath(path).catch(() => "a place that is not there")}.`,
    "Nothing is deleted through a link: put the folder itself in the link's place, then erase again.",
  );
}

function refusal(what: string, remedy: string): OperationError {
  return new OperationError(`${what} Nothing was deleted.`, { remedy, exitCode: exitCode.notAllowed });
}

function isInside(folder: string, path: string): boolean {
  return path === folder || path.startsWith(folder + sep);
}
