import { readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/**
 * What killed runs left beside a data directory, of clusters that they were making (see `initialise`): never a whole cluster, which has its own name by
 * then.
 */
export async function unfinishedClusters(dataDirectory: string): Promise<string[]> {
  const parent = dirname(dataDirectory);
  let entries: string[];
  try {
    entries = await readdir(parent);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
  return entries.filter((entry) => entry.startsWith(`${basename(dataDirectory)}.initdb-`)).map((e) => join(parent, e));
}
