import { readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { unlessAbsent } from "../core/absent.ts";
import { leftTemporaries, targetOf, temporaryFor } from "../core/temporary.ts";

/** Returns the temporary name of the folder in which a cluster is created. */
export function stagedCluster(dataDirectory: string): string {
  return temporaryFor(`${dataDirectory}.initdb`);
}

/** Returns the path of the file from which `initdb` reads the superuser's password. */
export function stagedPassword(dataDirectory: string): string {
  return temporaryFor(`${dataDirectory}.initdb-password`);
}

const unnamedWriter = /^[\da-f]+(-[\da-f]+)*(\.password)?$/;

/**
 * Lists unfinished clusters that killed runs left next to a data directory (see `initialise`). A complete cluster
 * already has its own name and is never listed.
 */
export async function unfinishedClusters(dataDirectory: string): Promise<string[]> {
  const left = await leftTemporaries(dirname(dataDirectory));
  const own = left.filter((path) => targetOf(path).startsWith(`${dataDirectory}.initdb`));
  return [...own, ...(await unnamedClusters(dataDirectory))];
}

/**
 * Lists unfinished clusters of version 0.1.0, whose names do not identify the writer. They are leftovers if no other
 * process has the server's lock.
 */
export async function unnamedClusters(dataDirectory: string): Promise<string[]> {
  const parent = dirname(dataDirectory);
  const names = (await unlessAbsent(readdir(parent))) ?? [];
  const prefix = `${basename(dataDirectory)}.initdb-`;
  const unnamed = names.filter((name) => name.startsWith(prefix) && unnamedWriter.test(name.slice(prefix.length)));
  return unnamed.map((name) => join(parent, name));
}
