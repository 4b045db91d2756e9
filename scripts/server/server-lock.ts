import { setTimeout as sleep } from "node:timers/promises";
import { OperationError } from "../errors/operation-error.ts";
import { makeEnterable } from "./folders.ts";

/** A holder that has not refreshed its lock for this long, in ms, is dead: killed runs free the server by this. */
const staleAfter = 5_000;
const refreshEvery = 1_000;
const retryEvery = 100;

/** How long another run may take, in ms: longer than a start or a stop is waited for. */
const patience = 660_000;

/** Runs `work` as the only one that makes, starts or stops the server of a folder; others wait here. */
export async function withServerLock<T>(folder: string, work: () => Promise<T>): Promise<T> {
  await makeEnterable(folder);
  const deadline = Date.now() + patience;
  let release = await tryLock(folder);
  while (release === undefined) {
    if (Date.now() >= deadline) {
      throw new OperationError(
        `Another run has been changing the server in ${folder} for ${patience / 60_000} minutes.`,
        {
          remedy: "Let it finish or end it, then run again.",
        },
      );
    }
    await sleep(retryEvery);
    release = await tryLock(folder);
  }
  try {
    return await work();
  } finally {
    await release();
  }
}

async function tryLock(folder: string): Promise<(() => Promise<void>) | undefined> {
  const { lock } = await import("proper-lockfile");
  try {
    const release = await lock(folder, {
      lockfilePath: `${folder}/lock`,
      stale: staleAfter,
      update: refreshEvery,
      // A machine that slept can lose its lock to another run. PostgreSQL's own lock file then lets only one server start.
      onCompromised: () => undefined,
    });
    // A lock lost on the way is not there to be given back.
    return () => release().catch(() => undefined);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ELOCKED") return undefined;
    throw new OperationError(`The server's folder ${folder} cannot be written: ${message}`, {
      remedy: "Run as the user who made it, or set XDG_DATA_HOME to a folder of your own.",
      cause: error,
    });
  }
}
