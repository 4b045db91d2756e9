import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

// Plain JavaScript: what reads TypeScript is itself worth keeping compiled, so that this is asked before the first file of it is read.

/** @typedef {Readonly<Record<string, string | undefined>>} Variables Variables of a process, as in `process.env`. */

/**
 * The user's cache folder of the kit, shared by clones: `$XDG_CACHE_HOME/pgroundwork`, else `~/.cache/pgroundwork`.
 *
 * @param {Variables} env
 */
export function cacheFolder(env) {
  const base = env.XDG_CACHE_HOME;
  // The XDG specification has relative paths ignored.
  return join(base && isAbsolute(base) ? base : join(env.HOME || homedir(), ".cache"), "pgroundwork");
}

/**
 * Where Node keeps the compiled form of what it loads.
 *
 * @param {Variables} env
 */
export function compileCacheFolder(env) {
  return join(cacheFolder(env), "node");
}
