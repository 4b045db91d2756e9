import { rm, stat } from "node:fs/promises";

/** A holder that has not refreshed its lock for this long, in ms, is dead: killed runs free it by this. */
const staleAfter = 5_000;
const refreshEvery = 1_000;

export type Release = () => Promise<void>;

/**
 * A lock between processes of one machine: a folder that its holder keeps touching (proper-lockfile). Ask again and again with one instance.
 *
 * The package tells a dead holder by the age of its last touch, and where the clock was set back that lies in the future, for hours. So a lock
 * is watched, too, while it is asked for: one that nobody touched meanwhile is abandoned, whatever the clock says.
 */
export class FolderLock {
  readonly #folder: string;
  readonly #path: string;
  #touched: number | undefined;
  #since = 0;

  /**
   * @param folder what is locked; it has to be there
   * @param path the lock
   */
  constructor(folder: string, path: string) {
    this.#folder = folder;
    this.#path = path;
  }

  /** Takes the lock; undefined: another process has it. @throws the file system's error where it cannot be made */
  async take(): Promise<Release | undefined> {
    const { lock } = await import("proper-lockfile");
    try {
      const release = await lock(this.#folder, {
        lockfilePath: this.#path,
        stale: staleAfter,
        update: refreshEvery,
        // A machine that slept can lose its lock to another process: whoever uses one must bear that.
        onCompromised: () => undefined,
      });
      // A lock lost on the way is not there to be given back.
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
