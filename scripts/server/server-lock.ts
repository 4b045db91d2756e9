import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { OperationError } from "../errors/operation-error.ts";
import { FolderLock, type Release } from "../lock/folder-lock.ts";
import { makeEnterable } from "./folders.ts";

const retryEvery = 100;

/** How long another run may take, in ms: longer than a start or a stop is waited for. */
const patience = 660_000;

/** The lock of a server's folder. */
export function serverLockOf(folder: string): string {
  return join(folder, "lock");
}

/**
 * Runs `work` as the only one that makes, starts or stops the server of a folder; others wait here.
 *
 * @param waitMs how long another run is waited for
 */
export async function withServerLock<T>(folder: string, work: () => Promise<T>, waitMs = patience): Promise<T> {
  await makeEnterable(folder);
  const deadline = performance.now() + waitMs;
  const lock = new FolderLock(folder, serverLockOf(folder));
  let release = await tryLock(folder, lock);
  while (release === undefined) {
    if (performance.now() >= deadline) {
      throw new OperationError(
        `Another run has been changing the server in ${folder} for ${Math.round(waitMs / 1_000)} seconds.`,
        {
          remedy: "Let it finish or end it, then run again.",
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
    // Where a machine that slept lost it to another run, PostgreSQL's own lock file lets only one server start.
    return await lock.take();
  } catch (error) {
    throw new OperationError(`The server's folder ${folder} cannot be written: ${(error as Error).message}`, {
      remedy: "Run as the user who made it, or set XDG_DATA_HOME to a folder of your own.",
      cause: error,
    });
  }
}
