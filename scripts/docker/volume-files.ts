import { text } from "node:stream/consumers";
import type Docker from "dockerode";
import { extract, pack } from "tar-stream";
import { OperationError } from "../errors/operation-error.ts";
import { unlessMissing } from "./docker-error.ts";
import type { DockerOwner } from "./labels.ts";
import { withScratchContainer } from "./scratch-container.ts";

/** User and group id of postgres in every image of the kit. */
export const postgresId = 999;

/** Files by their path in the volume, with their content. */
export type VolumeFiles = Readonly<Record<string, string>>;

export interface VolumePlace {
  /** An image that is there, for the container through which the volume is reached. */
  image: string;
  volume: string;
  owner: Omit<DockerOwner, "role">;
  /** Where it is mounted meanwhile. On a volume that is fresh, a folder of the image's at that place gives owner and mode. */
  mountedAt?: string;
}

/**
 * Writes files into a volume: owned by postgres, readable by nobody else. They go through a container that is never started, so that they appear in no image,
 * no configuration and no process list, on an engine elsewhere, too.
 *
 * @param removed paths of files that shall be gone
 */
export async function writeVolumeFiles(
  docker: Docker,
  place: VolumePlace,
  files: VolumeFiles,
  removed: readonly string[] = [],
): Promise<void> {
  const root = rootOf(place);
  const command = ["rm", "-f", "--", ...removed.map((path) => `${root}/${path}`)];
  const spec = { ...place, command, volumes: { [root]: place.volume }, user: "0" };
  await withScratchContainer(docker, spec, async (container) => {
    await container.putArchive(archiveOf(files), { path: root });
    if (removed.length === 0) return;
    await container.start();
    const { StatusCode } = (await container.wait()) as { StatusCode: number };
    if (StatusCode !== 0) throw new OperationError(`Files could not be removed from the volume ${place.volume}.`);
  });
}

/** The files of a volume that have these paths; those that are not there are left out. */
export async function readVolumeFiles(
  docker: Docker,
  place: VolumePlace,
  paths: readonly string[],
): Promise<Record<string, string>> {
  const root = rootOf(place);
  const spec = { ...place, command: ["true"], volumes: { [root]: place.volume } };
  return withScratchContainer(docker, spec, async (container) => {
    const archive = await container.getArchive({ path: `${root}/.` });
    const files: Record<string, string> = {};
    const entries = extract();
    archive.pipe(entries);
    for await (const entry of entries) {
      const path = entry.header.name.replace(/^\.\//, "");
      const content = await text(entry);
      if (entry.header.type === "file" && paths.includes(path)) files[path] = content;
    }
    return files;
  });
}

/** One file of a volume that may hold much else; undefined: it is not there. */
export async function readVolumeFile(docker: Docker, place: VolumePlace, path: string): Promise<string | undefined> {
  const root = rootOf(place);
  const spec = { ...place, command: ["true"], volumes: { [root]: place.volume } };
  return withScratchContainer(docker, spec, async (container) => {
    const archive = await unlessMissing(container.getArchive({ path: `${root}/${path}` }));
    if (archive === undefined) return undefined;
    const entries = extract();
    archive.pipe(entries);
    let content: string | undefined;
    for await (const entry of entries) content = await text(entry);
    return content;
  });
}

function rootOf({ mountedAt = "/volume" }: VolumePlace): string {
  return mountedAt;
}

/** Folders come first, since an archive makes those that it does not name with root's ownership. */
function archiveOf(files: VolumeFiles): NodeJS.ReadableStream {
  const archive = pack();
  const owned = { uid: postgresId, gid: postgresId };
  const folders = new Set(Object.keys(files).flatMap(foldersOf));
  for (const folder of [...folders].sort())
    archive.entry({ name: `${folder}/`, type: "directory", mode: 0o700, ...owned });
  for (const [name, content] of Object.entries(files)) archive.entry({ name, mode: 0o600, ...owned }, content);
  archive.finalize();
  return archive as unknown as NodeJS.ReadableStream;
}

/** `a/b/c.conf` -> `a`, `a/b` */
function foldersOf(path: string): string[] {
  const steps = path.split("/").slice(0, -1);
  return steps.map((_, index) => steps.slice(0, index + 1).join("/"));
}
