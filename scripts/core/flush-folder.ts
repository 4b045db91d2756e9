import { open } from "node:fs/promises";
import { isAbsent } from "./absent.ts";

/**
 * Writes a folder's entries through to the disk. Some file systems cannot, and do not need it.
 *
 * @throws the file system's error if the folder does not exist
 */
export async function flushFolder(path: string): Promise<void> {
  const folder = await open(path, "r").catch((error: unknown) => {
    if (isAbsent(error)) throw error;
    return undefined;
  });
  await folder?.sync().catch(() => {});
  await folder?.close();
}
