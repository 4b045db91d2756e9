import { accessSync, constants, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { readFileIfThere, writeFileAtomically } from "../core/atomic-file.ts";
import { FolderLock, type Release } from "../core/folder-lock.ts";
import { OperationError } from "../core/operation-error.ts";
import { poll } from "../core/poll.ts";
import { cacheFolder } from "./cache-folder.mjs";
import type { Variables } from "./locations.ts";
import { type OnProgress, reporting } from "./progress.ts";

const retryIntervalMs = 500;

export interface CacheLockOptions {
  env: Variables;
  onProgress: OnProgress;
  /** Ends the wait with its reason. */
  signal?: AbortSignal | undefined;
}

/**
 * Runs `work` while no other process changes the cache. Other processes wait without a time limit, and report it.
 * `work` must check the cache again, because the process before it may have done the same work.
 */
export async function withCacheLock<T>(options: CacheLockOptions, work: () => Promise<T>): Promise<T> {
  const folder = cacheFolder(options.env);
  makeCache(folder);
  // After a sleep of the machine, another process can hold the lock as well. Both then finish in their own staging
  // folders and rename whole results.
  const lock = new FolderLock(folder, join(folder, "install.lock"));
  const release = (await lock.take()) ?? (await waitForLock(folder, lock, options));
  const holderFile = join(folder, "install.pid");
  try {
    writeFileAtomically(holderFile, String(process.pid));
    return await work();
  } finally {
    rmSync(holderFile, { force: true });
    await release();
  }
}

function makeCache(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    accessSync(folder, constants.W_OK);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new OperationError(`Cannot write the cache folder ${folder}: ${reason}`, {
      hint: "Make it writable for this user, or set XDG_CACHE_HOME to a writable folder.",
      cause: error,
    });
  }
}

function waitForLock(folder: string, lock: FolderLock, { onProgress, signal }: CacheLockOptions): Promise<Release> {
  const pid = () => readFileIfThere(join(folder, "install.pid")) ?? "unknown";
  return reporting("waiting for another process that is preparing the Pulumi engine", onProgress, (news) => {
    const attempt = () => {
      news(`pid ${pid()}`);
      return lock.take();
    };
    return poll(attempt, { intervalMs: retryIntervalMs, signal });
  });
}
