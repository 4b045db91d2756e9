import { stat } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { unlessAbsent } from "../../core/absent.ts";

/** Age in ms at which a lock counts as abandoned. A living holder touches its lock every second (see `FolderLock`). */
const staleAfter = 5_500;
const lookEvery = 250;

/**
 * Returns true if a lock exists that its holder has abandoned. The lock is watched for up to 5.5 s, and is not changed.
 */
export async function isAbandoned(lock: string): Promise<boolean> {
  const touched = await touchedAt(lock);
  if (touched === undefined) return false;
  const age = Date.now() - touched;
  // A younger lock proves nothing yet. Neither does one with a time in the future, after the clock was set back.
  for (let watched = age > staleAfter ? staleAfter : 0; watched < staleAfter; watched += lookEvery) {
    await sleep(lookEvery);
    if ((await touchedAt(lock)) !== touched) return false;
  }
  return true;
}

async function touchedAt(lock: string): Promise<number | undefined> {
  return (await unlessAbsent(stat(lock)))?.mtimeMs;
}
