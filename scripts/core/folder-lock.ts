import { rm, stat } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { unlessAbsent } from "./absent.ts";

/** Time in ms without a refresh after which a lock's holder counts as dead. It frees the locks of killed processes. */
const staleAfter = 5_000;
const refreshEvery = 1_000;

/** Releases a lock. */
export type Release = () => Promise<void>;

/**
 * A lock between processes of one machine: a folder that its holder keeps touching (proper-lockfile). Use one instance
 * for repeated attempts.
 *
 * The package detects a dead holder by the age of its last touch. If the clock was set back, that time lies in the
 * future, for hours. Therefore repeated attempts also watch the lock: if it is not touched meanwhile, it is abandoned,
 * whatever the clock says.
 */
export class FolderLock {
  readonly #folder: string;
  readonly #path: string;
  #touched: number | undefined;
  #since = 0;

  /**
   * @param folder the folder to lock; it must exist
   * @param path path of the lock
   */
  constructor(folder: string, path: string) {
    this.#folder = folder;
    this.#path = path;
  }

  /**
   * Takes the lock; undefined if another process holds it.
   *
   * @throws the file system's error if the lock cannot be created
   */
  async take(): Promise<Release | undefined> {
    const { lock } = await import("proper-lockfile");
    try {
      const release = await lock(this.#folder, {
        lockfilePath: this.#path,
        stale: staleAfter,
        update: refreshEvery,
        // After a sleep of the machine, another process can take the lock. Users of a lock must tolerate that.
        onCompromised: () => undefined,
      });
      // A lock that was lost meanwhile cannot be released.
      return () => release().catch(() => undefined);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ELOCKED") throw error;
      if (!(await this.#isAbandoned())) return undefined;
      await rm(this.#path, { recursive: true, force: true });
      return this.take();
    }
  }

  async #isAbandoned(): Promise<boolean> {
    const touched = await touchedAt(this.#path).catch(() => undefined);
    if (touched !== this.#touched) {
      this.#touched = touched;
      this.#since = performance.now();
    }
    return touched !== undefined && performance.now() - this.#since > staleAfter;
  }
}

/** Time in ms for which an observer watches a lock. It is a little longer than the time after which others take it. */
const watchedFor = staleAfter + 500;
const lookEvery = 250;

/**
 * Returns true if a lock exists that its holder has abandoned. The lock is watched for up to 5.5 s, and is not changed.
 *
 * @param lock path of a `FolderLock`
 */
export async function isAbandoned(lock: string): Promise<boolean> {
  const touched = await touchedAt(lock);
  if (touched === undefined) return false;
  const age = Date.now() - touched;
  // A younger lock proves nothing yet. Neither does one with a time in the future, after the clock was set back.
  for (let watched = age > watchedFor ? watchedFor : 0; watched < watchedFor; watched += lookEvery) {
    await sleep(lookEvery);
    if ((await touchedAt(lock)) !== touched) return false;
  }
  return true;
}

/** Returns the time of a lock's last touch in ms since 1970; undefined if there is no lock. */
async function touchedAt(lock: string): Promise<number | undefined> {
  return (await unlessAbsent(stat(lock)))?.mtimeMs;
}
