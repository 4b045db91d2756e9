import { realpath } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { unlessAbsent } from "../core/absent.ts";
import { exitCode, OperationError } from "../core/operation-error.ts";
import { isSameDirectory } from "../core/same-directory.ts";
import { clusterState } from "./cluster.ts";
import { readConfiguration } from "./configuration.ts";
import { findPostmaster, type Postmaster } from "./postmaster.ts";
import { isCloneGone, isSameOwner, readServerRecord, type ServerOwner, type ServerRecord } from "./server-record.ts";

/**
 * The stack whose server last ran on a data directory. Its project directory still exists, and its data is still there.
 */
export interface Claim {
  record: ServerRecord;
  /** Folder of the stack's server. */
  folder: string;
}

/**
 * Finds another stack that claims a data directory, because its server was the last to run there. If its project
 * directory is gone, the claim is void.
 *
 * @returns undefined if the records show no owner other than `owner`
 * @throws OperationError if it cannot be determined
 */
export async function claimOfOther(dataDirectory: string, owner: ServerOwner): Promise<Claim | undefined> {
  let folder: string | undefined;
  try {
    folder = await folderOfLastServer(dataDirectory);
    const record = folder === undefined ? undefined : await readServerRecord(folder);
    if (folder === undefined || record === undefined || isSameOwner(record, owner)) return undefined;
    if (isSameOwner({ ...record, clone: owner.clone }, owner) && (await isSameDirectory(record.clone, owner.clone)))
      return undefined;
    const isThere = (await isSamePlace(record.dataDirectory, dataDirectory)) && !(await isCloneGone(record.clone));
    return isThere ? { record, folder } : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    throw new OperationError(
      `Cannot read the owner of the data directory ${dataDirectory}: ${(error as Error).message}`,
      {
        hint: `Make ${folder ?? dataDirectory} readable for this user.`,
        cause: error,
      },
    );
  }
}

/** Finds another stack's server that runs on a data directory. */
export async function runningServerOfOther(
  dataDirectory: string,
  owner: ServerOwner,
): Promise<(Claim & { running: Postmaster }) | undefined> {
  const running = await findPostmaster(dataDirectory);
  if (running === undefined) return undefined;
  const claim = await claimOfOther(dataDirectory, owner);
  return claim === undefined ? undefined : { ...claim, running };
}

/**
 * Refuses a data directory on which another stack's server runs. Adopting it would end that server's sessions and
 * change its passwords. If the server is stopped, the data can be adopted.
 *
 * @throws OperationError that names the other stack
 */
export async function assertUnclaimed(dataDirectory: string, owner: ServerOwner): Promise<void> {
  const other = await runningServerOfOther(dataDirectory, owner);
  if (other === undefined) return;
  throw new OperationError(`${describe(dataDirectory, other)} Nothing was changed.`, {
    hint: `To use the data in this stack, stop that server there (npm run down -- --stack ${other.record.stack}). Otherwise choose another folder with pgroundwork:dataDirectory.`,
  });
}

/**
 * Refuses data that another stack has adopted since this stack's server ran on it, even if the other server is stopped.
 * All passwords differ from those in this stack's state. In a copy of a project directory, this is the original.
 *
 * @throws OperationError that names the other stack
 */
export async function assertNotTakenOver(dataDirectory: string, owner: ServerOwner): Promise<void> {
  const other = await claimOfOther(dataDirectory, owner);
  if (other === undefined) return;
  const { clone, stack } = other.record;
  throw new OperationError(
    `The data in ${dataDirectory} belongs to stack "${stack}" of the project directory ${clone}, which has adopted it or is the original of this copy. Nothing was changed.`,
    {
      hint: "To adopt it here with new passwords, stop that server there, run `npm run pgw -- destroy` here, which keeps the data, then `up`.",
    },
  );
}

/**
 * Refuses to stop another stack's server.
 *
 * @throws OperationError (not allowed) that names the other stack
 */
export async function assertOwnToStop(dataDirectory: string, owner: ServerOwner): Promise<void> {
  const other = await runningServerOfOther(dataDirectory, owner);
  if (other === undefined) return;
  throw new OperationError(`${describe(dataDirectory, other)} It was not stopped.`, {
    hint: `It adopted the data of stack "${owner.stack}". Stop it there first: npm run down -- --stack ${other.record.stack}`,
    exitCode: exitCode.notAllowed,
  });
}

function describe(dataDirectory: string, { record, running }: { record: ServerRecord; running: Postmaster }): string {
  return `The data directory ${dataDirectory} is in use by the server of stack "${record.stack}" of the project directory ${record.clone} (pid ${running.pid}).`;
}

/**
 * Returns a stack's data directory from the record in its server's folder, independently of the stack's state.
 *
 * @returns undefined if there is no record, if there was and is no data, or if another stack has adopted it
 */
export async function recordedDataDirectory(folder: string, owner: ServerOwner): Promise<string | undefined> {
  const record = await readServerRecord(folder);
  if (record === undefined || !isSameOwner(record, owner)) return undefined;
  if (record.withoutData && (await clusterState(record.dataDirectory)).kind !== "cluster") return undefined;
  return (await claimOfOther(record.dataDirectory, owner)) === undefined ? record.dataDirectory : undefined;
}

/**
 * Returns the folder of the server that last ran on a data directory. It is taken from the log folder in the
 * configuration.
 */
export async function folderOfLastServer(dataDirectory: string): Promise<string | undefined> {
  const log = /^log_directory = '(.*)'$/m.exec((await readConfiguration(dataDirectory)) ?? "")?.[1];
  return log === undefined ? undefined : dirname(log.replaceAll("''", "'").replaceAll("\\\\", "\\"));
}

async function isSamePlace(one: string, other: string): Promise<boolean> {
  return resolve(one) === resolve(other) || (await whereItIs(one)) === (await whereItIs(other));
}

async function whereItIs(path: string): Promise<string> {
  return (await unlessAbsent(realpath(path))) ?? resolve(path);
}
