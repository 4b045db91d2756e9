import { statSync } from "node:fs";
import { join } from "node:path";
import { leadsNowhere, unlessAbsentSync } from "../core/absent.ts";
import { readFileIfThere, writeFileAtomically } from "../core/atomic-file.ts";

/** Ways in which an artifact got into the cache. */
export const artifactSources = ["download", "build"] as const;
export type ArtifactSource = (typeof artifactSources)[number];

export interface ArtifactManifest {
  version: string;
  source: ArtifactSource;
  /** Time in ISO 8601. */
  installedAt: string;
  /** Size in bytes of each file in `bin/`. */
  files: Record<string, number>;
}

/** State of a cached folder: whole, absent, or broken. */
export type InstalledArtifact = { state: "whole"; manifest: ArtifactManifest } | { state: "absent" } | BrokenArtifact;
export interface BrokenArtifact {
  state: "broken";
  fault: string;
}

const manifestName = "engine.json";

/** Checks a cached folder: its manifest, which is written last, and the size of each file in it. */
export function readArtifact(folder: string): InstalledArtifact {
  const text = readFileIfThere(join(folder, manifestName));
  if (text === undefined) return { state: "absent" };
  const manifest = parseManifest(text);
  if (manifest === undefined) return { state: "broken", fault: `${join(folder, manifestName)} is not readable` };
  for (const [name, size] of Object.entries(manifest.files)) {
    const path = join(folder, "bin", name);
    const actual = sizeOf(path);
    if (actual === undefined) return { state: "broken", fault: `${path} is missing` };
    if (actual !== size) return { state: "broken", fault: `${path} has ${actual} bytes instead of ${size}` };
  }
  return { state: "whole", manifest };
}

/** Writes the manifest of a finished folder. */
export function writeManifest(folder: string, version: string, source: ArtifactSource, names: readonly string[]): void {
  const files = Object.fromEntries(names.map((name) => [name, statSync(join(folder, "bin", name)).size]));
  const manifest: ArtifactManifest = { version, source, installedAt: new Date().toISOString(), files };
  writeFileAtomically(join(folder, manifestName), `${JSON.stringify(manifest, null, 2)}\n`);
}

function parseManifest(text: string): ArtifactManifest | undefined {
  try {
    const manifest: Partial<ArtifactManifest> | null = JSON.parse(text);
    const { version, source, installedAt, files } = manifest ?? {};
    if (typeof version !== "string" || typeof installedAt !== "string" || typeof files !== "object") return undefined;
    if (source === undefined || !artifactSources.includes(source)) return undefined;
    return { version, source, installedAt, files };
  } catch {
    return undefined;
  }
}

function sizeOf(path: string): number | undefined {
  return unlessAbsentSync(() => statSync(path).size, leadsNowhere);
}
