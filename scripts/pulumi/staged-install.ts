import { mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { unlessAbsentSync } from "../core/absent.ts";
import { cacheFolder } from "./cache-folder.mjs";
import { type ArtifactSource, writeManifest } from "./installed-artifact.ts";
import type { Variables } from "./locations.ts";

/** An artifact whose files were put into `<staging>/bin`. */
export interface StagedArtifact {
  folder: string;
  version: string;
  source: ArtifactSource;
  /** Names of the files in `bin/` that must exist. */
  names: readonly string[];
}

/**
 * Fills a staging folder and renames it to its place, so that an installed folder is always whole. The caller must hold
 * the cache lock.
 *
 * @param fill puts the files into `<staging>/bin` and checks that they run; if it fails, the cache stays as it was
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

/**
 * Removes the staging folders of killed commands. The caller must hold the cache lock, so that no other process uses
 * one.
 */
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
