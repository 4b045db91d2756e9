import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { writeFileAtomically } from "../../core/atomic-file.ts";
import { FolderLock } from "../../core/folder-lock.ts";
import { exitCode, OperationError } from "../../core/operation-error.ts";
import { poll } from "../../core/poll.ts";
import { completeExchange, siblingClusters } from "../../server/cluster-exchange.ts";
import { startServer } from "../../server/embedded.ts";
import type { ServerDirectory } from "../../server/locations.ts";
import { findPostmaster } from "../../server/postmaster.ts";
import { withServerLock } from "../../server/server-lock.ts";

/** Time limit in ms for another command. It is longer than the lock of a killed one lasts. */
const lockTimeoutMs = 8_000;

/** Name of the file that a killed command leaves in the server's folder. */
export const begunFile = "in-place-restore";

/**
 * Runs work as the only command that restores an embedded server in place, after what a killed one left was completed
 * or reverted.
 *
 * @throws OperationError (not allowed) if another command is running
 */
export async function asOnlyCommand<T>(
  { home, directory }: { home: string; directory: ServerDirectory },
  { holder, onNote }: { holder: string; onNote: (text: string) => void },
  work: () => Promise<T>,
): Promise<T> {
  const folder = dirname(directory.log);
  // The server's lock is one of its own folder, and a process can have one lock of a folder only.
  const lock = new FolderLock(directory.log, join(folder, `${begunFile}.lock`));
  const release = await poll(() => lock.take(), {
    intervalMs: 200,
    timeoutMs: lockTimeoutMs,
    timedOut: () =>
      new OperationError("Another restore in place of this server is running.", {
        hint: "Wait for its end, then run again. Nothing was changed.",
        exitCode: exitCode.notAllowed,
      }),
  });
  const begun = join(folder, begunFile);
  try {
    if (existsSync(begun)) await settle(home, directory, onNote);
    writeFileAtomically(begun, `${holder}\n`, { mode: 0o600 });
    return await work();
  } finally {
    // A killed process does not get here: the next command finds the file.
    await rm(begun, { force: true });
    await release();
  }
}

/** Completes or reverts what a killed command left, and starts the server that it stopped. */
async function settle(home: string, directory: ServerDirectory, onNote: (text: string) => void): Promise<void> {
  const { data, log } = directory;
  if (await withServerLock(dirname(log), () => completeExchange(data)))
    onNote("completed the exchange of clusters in which a command was killed");
  for (const { role, path } of await siblingClusters(data)) {
    if (role !== "restoring" && role !== "removing") continue;
    await removeCluster(path);
    onNote(`removed ${path}, which a killed command left`);
  }
  if ((await findPostmaster(data)) !== undefined) return;
  onNote("starting the server, which a killed command stopped");
  await startServer(home, directory);
}

/** Removes a cluster that is not in use. A server that verified it ends first. */
export async function removeCluster(path: string): Promise<void> {
  for (const each of [path, `${path}.unfinished`]) {
    const server = await findPostmaster(each);
    if (server !== undefined) process.kill(server.pid, "SIGQUIT");
    // Such a server may still write.
    await rm(each, { recursive: true, force: true, maxRetries: 10 });
  }
}
