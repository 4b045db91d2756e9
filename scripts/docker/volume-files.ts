import { text } from "node:stream/consumers";
import type Docker from "dockerode";
import { extract, pack } from "tar-stream";
import { OperationError } from "../core/operation-error.ts";
import type { DockerOwner } from "../model/labels.ts";
import { readContainerFile } from "./container-file.ts";
import { withScratchContainer } from "./scratch-container.ts";

/** User and group id of postgres in every image of the kit. */
export const postgresId = 999;

/** Contents of files by their path in the volume. */
export type VolumeFiles = Readonly<Record<string, string>>;

/** A volume, and the container through which it is accessed. */
export interface VolumePlace {
  /** Image for the container that accesses the volume; the engine must have it. */
  image: string;
  volume: string;
  owner: Omit<DockerOwner, "role">;
  /** Mount point during the access. A fresh volume gets owner and mode of the image's folder at that path. */
  mountedAt?: string;
}

/**
 * Writes files into a volume, owned by postgres and readable only by it. They are copied through a container. Thus they
 * appear in no image, configuration or process list, and it also works with a remote engine.
 *
 * @param removed paths of files to delete
 */
export async function writeVolumeFiles(
  docker: Docker,
  place: VolumePlace,
  files: VolumeFiles,
  removed: readonly string[] = [],
): Promise<void> {
  const root = rootOf(place);
  const command = ["rm", "-f", "--", ...removed.map((path) => `${root}/${path}`)];
  // The volume's root can belong to root, and the folders below it belong to postgres.
  const asRoot = { user: "0", capabilities: ["DAC_OVERRIDE"] };
  const spec = { ...place, command, volumes: { [root]: place.volume }, ...asRoot };
  await withScratchContainer(docker, spec, async (container) => {
    await container.putArchive(archiveOf(files), { path: root });
    if (removed.length === 0) return;
    await container.start();
    const { StatusCode } = (await container.wait()) as { StatusCode: number };
    if (StatusCode !== 0) throw new OperationError(`Cannot remove files from the volume ${place.volume}.`);
  });
}

/** Reads the files with these paths from a volume. Files that do not exist are left out. */
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

/** Reads files of a volume that can contain much else. Files that do not exist are left out. */
export async function readNamedFiles<Path extends string>(
  docker: Docker,
  place: VolumePlace,
  paths: readonly Path[],
): Promise<Partial<Record<Path, string>>> {
  const root = rootOf(place);
  const spec = { ...place, command: ["true"], volumes: { [root]: place.volume } };
  return withScratchContainer(docker, spec, async (container) => {
    const files: Partial<Record<Path, string>> = {};
    for (const path of paths) {
      const content = await readContainerFile(container, `${root}/${path}`);
      if (content !== undefined) files[path] = content;
    }
    return files;
  });
}

function rootOf({ mountedAt = "/volume" }: VolumePlace): string {
  return mountedAt;
}

/**
 * Packs files into an archive. The folders come first, because folders that an archive does not list are created as
 * root's.
 */
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

/** Returns the folders of a path: `a/b/c.conf` -> `a`, `a/b` */
function foldersOf(path: string): string[] {
  const steps = path.split("/").slice(0, -1);
  return steps.map((_, index) => steps.slice(0, index + 1).join("/"));
}
