import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { isAbandoned } from "../../core/folder-lock.ts";
import { OperationError } from "../../core/operation-error.ts";
import { cacheFolder } from "../../pulumi/cache-folder.mjs";
import { withCacheLock } from "../../pulumi/cache-lock.ts";
import { removeLeftovers } from "../../pulumi/staged-install.ts";
import type { StackLeftover } from "./leftover.ts";

/** Time limit in ms for another process that prepares the engine. It is longer than a dead process's lock lasts. */
const lockTimeoutMs = 15_000;

/** Finds an incomplete installation of the engine in the user's cache, left by any project directory. */
export async function cacheLeftovers(env: NodeJS.ProcessEnv): Promise<StackLeftover[]> {
  const folder = cacheFolder(env);
  const staging = join(folder, "staging");
  const lock = join(folder, "install.lock");
  const isStaged = existsSync(staging) && readdirSync(staging).length > 0;
  if (!isStaged && !existsSync(lock)) return [];
  // Another process is installing the engine now.
  if (existsSync(lock) && !(await isAbandoned(lock))) return [];
  return [
    {
      kind: isStaged ? "files" : "lock",
      found: isStaged
        ? `an installation of the engine was interrupted: ${staging}`
        : `no process holds the cache's lock any more: ${lock}`,
      action: isStaged ? "delete the incomplete files" : "release the lock",
      act: () => clean(env),
    },
  ];
}

async function clean(env: NodeJS.ProcessEnv): Promise<void> {
  const signal = AbortSignal.timeout(lockTimeoutMs);
  try {
    await withCacheLock({ env, onProgress: () => undefined, signal }, async () => removeLeftovers(env));
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new OperationError(`Another process has been preparing the engine for ${lockTimeoutMs / 1_000} seconds.`, {
      hint: "Wait for it to end.",
      cause: error,
    });
  }
}
