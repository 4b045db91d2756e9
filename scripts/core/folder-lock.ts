import { rm, stat } from "node:fs/promises";

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
    const touched = await stat(this.#path).then(
      ({ mtimeMs }) => mtimeMs,
      () => undefined,
    );
    if (touched !== this.#touched) {
      this.#touched = touched;
      this.#since = performance.now();
    }
    return touched !== undefined && performance.now() - this.#since > staleAfter;
  }
}
