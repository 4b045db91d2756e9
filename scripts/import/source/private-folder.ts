import { mkdir, rm, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removeLeftOf, temporaryFor } from "../../core/temporary.ts";

/** A folder for a copy of a source that only this process uses. */
export interface PrivateFolder {
  path: string;
  remove(): Promise<void>;
}

/** Interval at which a folder in use is marked as such, for processes that cannot check this one. */
const touchIntervalMs = 60_000;

/**
 * Creates a folder in the folder for temporary files, and removes those of imports that were killed. The folder's name
 * contains this process, so that later imports and `recover` remove it only after the process is gone.
 */
export async function makePrivateFolder(): Promise<PrivateFolder> {
  const name = join(tmpdir(), "pgw-import");
  // A folder that cannot be removed is reported by `recover`.
  await removeLeftOf(name).catch(() => {});
  const path = temporaryFor(name);
  await mkdir(path, { mode: 0o700 });
  const touch = () => utimes(path, new Date(), new Date()).catch(() => {});
  const touching = setInterval(touch, touchIntervalMs).unref();
  return {
    path,
    remove: async () => {
      clearInterval(touching);
      await rm(path, { recursive: true, force: true });
    },
  };
}
