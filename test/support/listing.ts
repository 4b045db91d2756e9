import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** Files, folders and links below a folder, with all that a write changes: mode, owner, size, and both times. */
export type Listing = ReadonlyMap<string, string>;

/**
 * Lists a folder and everything below it. A change of content shows in the times, which a program cannot set back.
 *
 * Packages have 14,000 files. A promise for each of them would take five times the CPU time.
 */
export function listing(folder: string): Listing {
  const listed = new Map<string, string>();
  const list = (path: string) => {
    const { mode, uid, gid, size, mtimeNs, ctimeNs } = lstatSync(path, { bigint: true });
    listed.set(path, `${mode} ${uid} ${gid} ${size} ${mtimeNs} ${ctimeNs}`);
  };
  const listIn = (parent: string) => {
    for (const entry of readdirSync(parent, { withFileTypes: true })) {
      const path = join(parent, entry.name);
      list(path);
      if (entry.isDirectory()) listIn(path);
    }
  };
  list(folder);
  listIn(folder);
  return listed;
}

/** Returns the paths that were added, changed or removed between two listings. */
export function changedPaths(before: Listing, after: Listing): string[] {
  const paths = new Set([...before.keys(), ...after.keys()]);
  return [...paths].filter((path) => before.get(path) !== after.get(path)).sort();
}
