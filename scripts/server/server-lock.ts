import { join } from "node:path";
import { FolderLock, type Release } from "../core/folder-lock.ts";
import { OperationError } from "../core/operation-error.ts";
import { poll } from "../core/poll.ts";
import { makeEnterable } from "./folders.ts";

const retryIntervalMs = 100;

/** Time limit for another run. It is longer than the wait for a start or a stop. */
const lockTimeoutMs = 660_000;

/** Returns the path of the lock of a server's folder. */
export function serverLockOf(folder: string): string {
  return join(folder, "lock");
}

/**
 * Runs `work` under the lock of a server's folder. Only one run at a time creates, starts or stops the server; others
 * wait here.
 *
 * @param timeoutMs time limit for another run
 */
export async function withServerLock<T>(folder: string, work: () => Promise<T>, timeoutMs = lockTimeoutMs): Promise<T> {
  await makeEnterable(folder);
  const lock = new FolderLock(folder, serverLockOf(folder));
  const release = await poll(() => tryLock(folder, lock), {
    intervalMs: retryIntervalMs,
    timeoutMs,
    timedOut: () =>
      new OperationError(
        `Another run has been changing the server in ${folder} for ${Math.round(timeoutMs / 1_000)} seconds.`,
        { hint: "Wait for it to end or stop it, then run again." },
      ),
  });
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
