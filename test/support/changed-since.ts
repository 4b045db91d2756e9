import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

/** Lists the files and folders below a folder that were written, created or got another mode or owner since a time. */
export async function changedSince(folder: string, time: Date): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const changed: string[] = [];
  for (const entry of entries) {
    if (entry.isSymbolicLink()) continue;
    const path = join(entry.parentPath, entry.name);
    const { mtimeMs, ctimeMs } = await stat(path);
    if (Math.max(mtimeMs, ctimeMs) >= time.getTime()) changed.push(path);
  }
  return changed;
}
