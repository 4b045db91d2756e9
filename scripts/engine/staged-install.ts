import { mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { unlessAbsentSync } from "../files/absent.ts";
import { cacheFolder } from "./cache-folder.mjs";
import { type ArtifactSource, writeManifest } from "./installed-artifact.ts";
import type { Variables } from "./locations.ts";

/** What one way of getting an artifact leaves in `<staging>/bin`. */
export interface StagedArtifact {
  folder: string;
  version: string;
  source: ArtifactSource;
  /** File names in `bin/` that must be there for it to count. */
  names: readonly string[];
}

/**
 * Fills a staging folder and renames it to its place, so that what lies there is whole. Runs under the cache's lock.
 *
 * @param fill puts the files into `<staging>/bin` and checks that they run; its error leaves the cache as it was
 */
export async function installStaged(
  artifact: StagedArtifact,
  env: Variables,
  fill: (staging: string) => Promise<void>,
): Promise<void> {
  const staging = newStaging(env);
  try {
    await fill(staging);
    writeManifest(staging, artifact.version, artifact.source, artifact.names);
    mkdirSync(dirname(artifact.folder), { recursive: true, mode: 0o700 });
    const replaced = newStaging(env);
    moveIfThere(artifact.folder, join(replaced, "replaced"));
    renameSync(staging, artifact.folder);
    rmSync(replaced, { recursive: true, force: true });
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

/** Removes what killed runs left half-way. Runs under the cache's lock, which no living run can hold meanwhile. */
export function removeLeftovers(env: Variables): void {
  rmSync(stagingParent(env), { recursive: true, force: true });
}

function newStaging(env: Variables): string {
  mkdirSync(stagingParent(env), { recursive: true, mode: 0o700 });
  return mkdtempSync(join(stagingParent(env), "install-"));
}

/** Inside the cache, so that the rename stays within one file system. */
function stagingParent(env: Variables): string {
  return join(cacheFolder(env), "staging");
}

function moveIfThere(from: string, to: string): void {
  unlessAbsentSync(() => renameSync(from, to));
}
