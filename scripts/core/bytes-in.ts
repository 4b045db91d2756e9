import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { unlessAbsent } from "./absent.ts";

/**
 * Returns the size in bytes of a file, or of all files in a folder. Links count as zero, and so do files that are
 * deleted meanwhile.
 */
export async function bytesIn(path: string): Promise<number> {
  const found = await unlessAbsent(lstat(path));
  if (!found?.isDirectory()) return found?.isFile() ? found.size : 0;
  const names = (await unlessAbsent(readdir(path))) ?? [];
  let bytes = 0;
  for (const name of names) bytes += await bytesIn(join(path, name));
  return bytes;
}
