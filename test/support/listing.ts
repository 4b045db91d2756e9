import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";

/** Files, folders and links below a folder, with all that a write changes: mode, owner, size, and both times. */
export type Listing = ReadonlyMap<string, string>;

/** Lists a folder and everything below it. A change of content shows in the times, which a program cannot set back. */
export async function listing(folder: string): Promise<Listing> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = [folder, ...entries.map(({ parentPath, name }) => join(parentPath, name))];
  const described = paths.map(async (path) => {
    const { mode, uid, gid, size, mtimeNs, ctimeNs } = await lstat(path, { bigint: true });
    return [path, [mode, uid, gid, size, mtimeNs, ctimeNs].join(" ")] as const;
  });
  return new Map(await Promise.all(described));
}

/** Returns the paths that were added, changed or removed between two listings. */
export function changedPaths(before: Listing, after: Listing): string[] {
  const paths = new Set([...before.keys(), ...after.keys()]);
  return [...paths].filter((path) => before.get(path) !== after.get(path)).sort();
}
