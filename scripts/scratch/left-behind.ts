import { lstat, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { unlessAbsent } from "../core/absent.ts";
import { ownHolder, scratchHolder } from "../docker/scratch-holder.ts";
import { findPostmaster } from "../server/postmaster.ts";

/** Prefix of the directories of scratch clusters. */
export const scratchPrefix = "pgw-scratch-";

const holderFile = "holder";

/** Writes the process that uses a scratch cluster to the cluster's directory. */
export async function writeHolder(folder: string): Promise<void> {
  await writeFile(join(folder, holderFile), await ownHolder(), { mode: 0o600 });
}

/** Age in ms at which a directory without a holder counts as left behind. */
const unmarkedMs = 60_000;

/**
 * Removes scratch clusters whose process is gone. Usually the shell beside the server does that at once. After a power
 * failure, or if that shell was killed, the directory stays until the next scratch cluster is created.
 *
 * @param parent the folder for temporary files
 */
export async function removeAbandoned(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    if (!name.startsWith(scratchPrefix)) continue;
    const folder = join(parent, name);
    // It belongs to another account, or another process has just removed it.
    await removeIfAbandoned(folder).catch(() => {});
  }
}

async function removeIfAbandoned(folder: string): Promise<void> {
  const { mtimeMs, uid } = await lstat(folder);
  // Only directories of this account, because processes of others cannot be checked from here.
  const own = (await unlessAbsent(lstat(join(folder, holderFile))))?.uid ?? uid;
  if (own !== process.getuid?.()) return;
  const holder = await unlessAbsent(readFile(join(folder, holderFile), "utf8"));
  if (holder === undefined ? Date.now() - mtimeMs < unmarkedMs : (await scratchHolder(holder)) !== "gone") return;
  const server = await findPostmaster(join(folder, "data"));
  if (server !== undefined) process.kill(server.pid, "SIGQUIT");
  await rm(folder, { recursive: true, force: true });
}
