import { rm } from "node:fs/promises";
import { isAbandoned } from "../../core/folder-lock.ts";
import { serverLockOf, withServerLock } from "../../server/server-lock.ts";
import { unnamedClusters } from "../../server/unfinished.ts";
import type { StackLeftover } from "./leftover.ts";
import type { KnownServer } from "./own-servers.ts";

/** Time limit in ms for another run on the same server. It is longer than a dead process's lock lasts. */
const lockTimeoutMs = 15_000;

/** Finds leftovers of interrupted work on a server: unfinished data directories and an abandoned lock. */
export async function serverLeftovers({ folder, dataDirectory }: KnownServer): Promise<StackLeftover[]> {
  const unfinished = await unnamedClusters(dataDirectory);
  const leftovers: StackLeftover[] = [];
  if (unfinished.length > 0) {
    leftovers.push({
      kind: "files",
      found: `incomplete data directories were left beside ${dataDirectory}: ${unfinished.join(", ")}`,
      action: "delete the incomplete files",
      act: () => withServerLock(folder, () => removeUnfinished(dataDirectory), lockTimeoutMs),
    });
  }
  if (await isAbandoned(serverLockOf(folder))) {
    leftovers.push({
      kind: "lock",
      found: `no process holds the server's lock any more: ${serverLockOf(folder)}`,
      action: "release the lock",
      act: () => withServerLock(folder, async () => undefined, lockTimeoutMs),
    });
  }
  return leftovers;
}

/** Searches again, because another run may have started and ended in the meantime. */
async function removeUnfinished(dataDirectory: string): Promise<void> {
  for (const path of await unnamedClusters(dataDirectory)) await rm(path, { recursive: true, force: true });
}
