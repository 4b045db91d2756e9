import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { FolderLock, type Release } from "../core/folder-lock.ts";
import { OperationError } from "../core/operation-error.ts";
import { makeEnterable } from "./folders.ts";

const retryEvery = 100;

/** Time limit in ms for another run. It is longer than the wait for a start or a stop. */
const lockTimeoutMs = 660_000;

/** Returns the path of the lock of a server's folder. */
export function serverLockOf(folder: string): string {
  return join(folder, "lock");
}

/**
 * Runs `work` under the lock of a server's folder. Only one run at a time creates, starts or stops the server; others
 * wait here.
 *
 * @param waitMs time limit for another run
 */
export async function withServerLock<T>(folder: string, work: () => Promise<T>, waitMs = lockTimeoutMs): Promise<T> {
  await makeEnterable(folder);
  const deadline = performance.now() + waitMs;
  const lock = new FolderLock(folder, serverLockOf(folder));
  let release = await tryLock(folder, lock);
  while (release === undefined) {
    if (performance.now() >= deadline) {
      throw new OperationError(
        `Another run has been changing the server in ${folder} for ${Math.round(waitMs / 1_000)} seconds.`,
        {
          hint: "Wait for it to end or stop it, then run again.",
        },
      );
    }
    await sleep(retryEvery);
    release = await tryLock(folder, lock);
  }
  try {
    return await work();
  } finally {
    await release();
  }
}

async function tryLock(folder: string, lock: FolderLock): Promise<Release | undefined> {
  try {
    // If the machine slept and another run took the lock, PostgreSQL's own lock file still lets only one server start.
    return await lock.take();
  } catch (error) {
    throw new OperationError(`Cannot write the server's folder ${folder}: ${(error as Error).message}`, {
      hint: "Run as the user who created it, or set XDG_DATA_HOME to a folder of your own.",
      cause: error,
    });
  }
}
