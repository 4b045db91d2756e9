import { rm } from "node:fs/promises";
import { serverLockOf, withServerLock } from "../server/server-lock.ts";
import { unfinishedClusters } from "../server/unfinished.ts";
import { isAbandoned } from "./abandoned-lock.ts";
import type { Finding } from "./finding.ts";
import type { KnownServer } from "./own-servers.ts";

/** How long another run at the same server is waited for, in ms: longer than a dead one's lock lasts. */
const patience = 15_000;

/** What is left of work on a server that was broken off: data directories half-made, and the lock under which it was done. */
export async function serverLeftovers({ folder, dataDirectory }: KnownServer): Promise<Finding[]> {
  const unfinished = await unfinishedClusters(dataDirectory);
  const findings: Finding[] = [];
  if (unfinished.length > 0) {
    findings.push({
      kind: "files",
      found: `a data directory was being made for ${dataDirectory}: ${unfinished.join(", ")}`,
      action: "delete what there is of it",
      act: () => withServerLock(folder, () => removeUnfinished(dataDirectory), patience),
    });
  }
  if (await isAbandoned(serverLockOf(folder))) {
    findings.push({
      kind: "lock",
      found: `the server's lock ${serverLockOf(folder)} is held by nobody`,
      action: "free it",
      act: () => withServerLock(folder, async () => undefined, patience),
    });
  }
  return findings;
}

/** Once more looked for: another run may have begun and ended meanwhile. */
async function removeUnfinished(dataDirectory: string): Promise<void> {
  for (const path of await unfinishedClusters(dataDirectory)) await rm(path, { recursive: true, force: true });
}
