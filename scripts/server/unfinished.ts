import { readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { unlessAbsent } from "../files/absent.ts";

/**
 * What killed runs left beside a data directory, of clusters that they were making (see `initialise`): never a whole cluster, which has its own name by
 * then.
 */
export async function unfinishedClusters(dataDirectory: string): Promise<string[]> {
  const parent = dirname(dataDirectory);
  const entries = (await unlessAbsent(readdir(parent))) ?? [];
  return entries.filter((entry) => entry.startsWith(`${basename(dataDirectory)}.initdb-`)).map((e) => join(parent, e));
}
