import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "../engine/cache-folder.mjs";
import { withCacheLock } from "../engine/cache-lock.ts";
import { removeLeftovers } from "../engine/staged-install.ts";
import { OperationError } from "../errors/operation-error.ts";
import { isAbandoned } from "./abandoned-lock.ts";
import type { Finding, Scene } from "./finding.ts";

/** How long another process that prepares the engine is waited for, in ms: longer than a dead one's lock lasts. */
const patience = 15_000;

/** An engine half-installed in the user's cache, by any clone. */
export async function cacheLeftovers({ env }: Scene): Promise<Finding[]> {
  const folder = cacheFolder(env);
  const staging = join(folder, "staging");
  const lock = join(folder, "install.lock");
  const isStaged = existsSync(staging) && readdirSync(staging).length > 0;
  if (!isStaged && !existsSync(lock)) return [];
  // Somebody is just installing.
  if (existsSync(lock) && !(await isAbandoned(lock))) return [];
  return [
    {
      kind: isStaged ? "files" : "lock",
      found: isStaged ? `an installation was broken off: ${staging}` : `the cache's lock ${lock} is held by nobody`,
      action: isStaged ? "delete what there is of it" : "free it",
      act: () => clean(env),
    },
  ];
}

async function clean(env: NodeJS.ProcessEnv): Promise<void> {
  const signal = AbortSignal.timeout(patience);
  try {
    await withCacheLock({ env, onProgress: () => undefined, signal }, async () => removeLeftovers(env));
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new OperationError(`Another process has been preparing the engine for ${patience / 1_000} seconds.`, {
      remedy: "Let it finish.",
      cause: error,
    });
  }
}
