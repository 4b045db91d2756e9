import { readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { scratchPrefix } from "../../../../scripts/scratch/left-behind.ts";

/** Returns the folders of a process's scratch clusters. */
export async function scratchFolders(pid = process.pid): Promise<string[]> {
  const folders = new Set([tmpdir(), "/tmp"]);
  const found: string[] = [];
  for (const parent of folders) {
    for (const name of await readdir(parent)) {
      if (!name.startsWith(scratchPrefix)) continue;
      const holder = await readFile(join(parent, name, "holder"), "utf8").catch(() => "");
      if (holder.split("/")[1] === String(pid)) found.push(join(parent, name));
    }
  }
  return found;
}
