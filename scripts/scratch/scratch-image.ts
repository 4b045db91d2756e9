import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import type Docker from "dockerode";
import { pack } from "tar-stream";
import { kitFolder } from "../core/kit-folder.ts";
import { unlessMissing } from "../docker/docker-error.ts";
import { hasImage } from "../docker/image.ts";
import { imageExtensions } from "../model/image-extensions.ts";
import { NotTried } from "./request.ts";

const context = join(kitFolder, "infra", "images", "postgres");

export interface ScratchImage {
  /** Container of the stack whose image to use. */
  imageOf: string | undefined;
  /** Extensions that the image must have. */
  extensions: readonly string[];
  onProgress?: ((text: string) => void) | undefined;
}

/**
 * Finds the image for a scratch cluster: the stack's own, or the kit's. The kit's image is built once for each state of
 * its folder.
 *
 * @throws NotTried if the kit's image does not have an extension
 */
export async function scratchImage(docker: Docker, { imageOf, extensions, onProgress }: ScratchImage): Promise<string> {
  const image =
    imageOf === undefined ? undefined : (await unlessMissing(docker.getContainer(imageOf).inspect()))?.Image;
  if (image !== undefined && (await hasImage(docker, image))) return image;
  const postgis = extensions.some((name) => !imageExtensions(false).has(name));
  const absent = extensions.filter((name) => !imageExtensions(true).has(name));
  if (absent.length > 0) throw new NotTried(`pgroundwork's image does not have ${absent.join(", ")}`);
  const args = { POSTGIS: String(postgis) };
  const tag = `pgroundwork-scratch-postgres:${digest(args)}`;
  if (await hasImage(docker, tag)) return tag;
  onProgress?.("building the image for scratch clusters, once: this can take minutes");
  await build(docker, tag, args);
  return tag;
}

function files(): string[] {
  return readdirSync(context, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .sort();
}

function digest(args: Record<string, string>): string {
  const hash = createHash("sha256").update(JSON.stringify(args));
  for (const file of files()) hash.update(`\0${relative(context, file)}\0`).update(readFileSync(file));
  return hash.digest("hex").slice(0, 16);
}

async function build(docker: Docker, tag: string, args: Record<string, string>): Promise<void> {
  const archive = pack();
  // With the same folders, modes and owners as in the build of a stack's image, Docker finds the layers of that one.
  const folders = new Set(files().map((file) => relative(context, dirname(file))));
  folders.delete("");
  for (const name of folders) archive.entry({ name, type: "directory", mode: 0o755, mtime: new Date(0) });
  for (const file of files()) {
    const mode = (lstatSync(file).mode & 0o100) === 0 ? 0o644 : 0o755;
    archive.entry({ name: relative(context, file), mode, mtime: new Date(0) }, readFileSync(file));
  }
  archive.finalize();
  const progress = await docker.buildImage(archive as unknown as NodeJS.ReadableStream, { t: tag, buildargs: args });
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(progress, (error, events: { error?: string }[] = []) => {
      const failed = error?.message ?? events.find((event) => event.error !== undefined)?.error;
      if (failed === undefined) resolve();
      else reject(new NotTried(`the image could not be built: ${failed.trim().split("\n").at(-1)}`));
    });
  });
}
