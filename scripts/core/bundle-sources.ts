import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Name of the bundle of the health server. */
export const healthServerFile = "health-server.mjs";

/** List of the files in a bundle, next to it. */
const sourcesFile = "sources.json";

/** Writes the list of the files in a bundle, with their digest, so that {@link hasCurrentSources} can compare. */
export function writeSources(folder: string, files: readonly string[]): void {
  writeFileSync(join(folder, sourcesFile), JSON.stringify({ files, digest: digestOf(files) }));
}

/** Returns true if the bundle in the folder has the present contents of its sources. */
export function hasCurrentSources(folder: string): boolean {
  try {
    const { files, digest } = JSON.parse(readFileSync(join(folder, sourcesFile), "utf8"));
    return digestOf(files) === digest && existsSync(join(folder, healthServerFile));
  } catch {
    return false;
  }
}

/** Returns the SHA-256 of files, in hex. */
function digestOf(paths: readonly string[]): string {
  const hash = createHash("sha256");
  for (const path of paths) hash.update(readFileSync(path));
  return hash.digest("hex");
}
