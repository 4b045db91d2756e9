import { stat } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { unlessAbsent } from "../files/absent.ts";

/** A living holder touches its lock every second; one that has not for this long, in ms, is dead (see `FolderLock`). */
const staleAfter = 5_500;
const lookEvery = 250;

/** Whether a lock is there that its holder does not hold any more. It is watched for up to 5.5 s, and left as it is. */
export async function isAbandoned(lock: string): Promise<boolean> {
  const touched = await touchedAt(lock);
  if (touched === undefined) return false;
  const age = Date.now() - touched;
  // One that is younger, or by a clock that was set back touched in the future, says nothing yet.
  for (let watched = age > staleAfter ? staleAfter : 0; watched < staleAfter; watched += lookEvery) {
    await sleep(lookEvery);
    if ((await touchedAt(lock)) !== touched) return false;
  }
  return true;
}

async function touchedAt(lock: string): Promise<number | undefined> {
  return (await unlessAbsent(stat(lock)))?.mtimeMs;
}
