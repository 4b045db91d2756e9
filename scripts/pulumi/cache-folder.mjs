import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

// Plain JavaScript, so that it can run before the first TypeScript file is loaded: the TypeScript loader is itself
// worth keeping in the compile cache.

/** @typedef {Readonly<Record<string, string | undefined>>} Variables Variables of a process, as in `process.env`. */

/**
 * Returns the kit's cache folder of the user, shared by project directories: `$XDG_CACHE_HOME/pgroundwork`, else
 * `~/.cache/pgroundwork`.
 *
 * @param {Variables} env
 */
export function cacheFolder(env) {
  const base = env.XDG_CACHE_HOME;
  // The XDG specification says that relative paths are ignored.
  return join(base && isAbsolute(base) ? base : join(env.HOME || homedir(), ".cache"), "pgroundwork");
}

/**
 * Returns the folder of Node's compile cache.
 *
 * @param {Variables} env
 */
export function compileCacheFolder(env) {
  return join(cacheFolder(env), "node");
}
