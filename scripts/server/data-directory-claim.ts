import { realpath } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { exitCode, OperationError } from "../errors/operation-error.ts";
import { unlessAbsent } from "../files/absent.ts";
import { clusterState } from "./cluster.ts";
import { readConfiguration } from "./configuration.ts";
import { findPostmaster, type Postmaster } from "./postmaster.ts";
import { isCloneGone, isSameOwner, readServerRecord, type ServerOwner, type ServerRecord } from "./server-record.ts";

/** The stack whose server ran on a data directory last, where it is there still and has its data nowhere else since. */
export interface Claim {
  record: ServerRecord;
  /** The folder of its server. */
  folder: string;
}

/**
 * Who else has a data directory: the stack whose server ran on it last. One whose clone is gone has nothing any more.
 *
 * @returns undefined: nobody but `owner`, as far as records tell
 * @throws OperationError where it cannot be told
 */
export async function claimOfOther(dataDirectory: string, owner: ServerOwner): Promise<Claim | undefined> {
  let folder: string | undefined;
  try {
    folder = await folderOfLastServer(dataDirectory);
    const record = folder === undefined ? undefined : await readServerRecord(folder);
    if (folder === undefined || record === undefined || isSameOwner(record, owner)) return undefined;
    const isThere = (await isSamePlace(record.dataDirectory, dataDirectory)) && !(await isCloneGone(record.clone));
    return isThere ? { record, folder } : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    throw new OperationError(
      `Could not tell whose the data directory ${dataDirectory} is: ${(error as Error).message}`,
      {
        remedy: `Let this user read ${folder ?? dataDirectory}.`,
        cause: error,
      },
    );
  }
}

/** Another stack's server that runs on a data directory. */
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
 * Refuses a data directory on which another stack's server runs: taking it over would end that one's sessions and change its passwords. One that is stopped can
 * be taken over.
 *
 * @throws OperationError naming the other stack
 */
export async function assertUnclaimed(dataDirectory: string, owner: ServerOwner): Promise<void> {
  const other = await runningServerOfOther(dataDirectory, owner);
  if (other === undefined) return;
  throw new OperationError(`${describe(dataDirectory, other)} Nothing was changed.`, {
    remedy: `Stop it there (npm run down -- --stack ${other.record.stack}) if this stack is to have the data, or choose another folder with pgroundwork:dataDirectory.`,
  });
}

/**
 * Refuses data that another stack has taken over since this one's server ran on it, even where that one's is stopped: every password is another than this one's
 * state has.
 *
 * @throws OperationError naming the other stack
 */
export async function assertNotTakenOver(dataDirectory: string, owner: ServerOwner): Promise<void> {
  const other = await claimOfOther(dataDirectory, owner);
  if (other === undefined) return;
  const { clone, stack } = other.record;
  throw new OperationError(`Stack "${stack}" of the clone ${clone} has taken over the data in ${dataDirectory}.`, {
    remedy: "To take it back, with new passwords: `npm run pgw -- destroy`, which keeps it, then `up`.",
  });
}

/**
 * Refuses to stop another stack's server.
 *
 * @throws OperationError (not allowed) naming the other stack
 */
export async function assertOwnToStop(dataDirectory: string, owner: ServerOwner): Promise<void> {
  const other = await runningServerOfOther(dataDirectory, owner);
  if (other === undefined) return;
  throw new OperationError(`${describe(dataDirectory, other)} It was not stopped.`, {
    remedy: `It took the data over from stack "${owner.stack}". Stop it there first: npm run down -- --stack ${other.record.stack}`,
    exitCode: exitCode.notAllowed,
  });
}

function describe(dataDirectory: string, { record, running }: { record: ServerRecord; running: Postmaster }): string {
  return `On the data directory ${dataDirectory} runs the server of stack "${record.stack}" of the clone ${record.clone} (pid ${running.pid}).`;
}

/**
 * Where a stack's data is by the record in its server's folder, whatever became of the state.
 *
 * @returns undefined: no record says it, there was none when it was written, or another stack has that data by now
 */
export async function recordedDataDirectory(folder: string, owner: ServerOwner): Promise<string | undefined> {
  const record = await readServerRecord(folder);
  if (record === undefined || !isSameOwner(record, owner)) return undefined;
  if (record.withoutData && (await clusterState(record.dataDirectory)).kind !== "cluster") return undefined;
  return (await claimOfOther(record.dataDirectory, owner)) === undefined ? record.dataDirectory : undefined;
}

/** The folder of the server that ran on a data directory last: its configuration has it as that of the log. */
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
