import { createHash } from "node:crypto";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, relative } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type Docker from "dockerode";
import { FolderLock } from "../../scripts/core/folder-lock.ts";
import { withDocker } from "../../scripts/docker/client.ts";
import { hasImage } from "../../scripts/docker/image.ts";
import { cloneRoot } from "../clone-root.ts";
import { buildImage } from "./build-image.ts";

/** Build contexts of the images. */
export const postgresImageContext = join(cloneRoot, "infra", "images", "postgres");
export const monitoringImageContext = join(cloneRoot, "infra", "images", "monitoring");
export const poolerImageContext = join(cloneRoot, "infra", "images", "pgbouncer");

/**
 * Builds the kit's PostgreSQL image from the project directory. The first test process builds it, the others wait. Its
 * tag is a digest of its inputs, so that the next test run finds it.
 *
 * @returns name and tag
 */
export function postgresImage(buildArguments: Readonly<Record<string, string>> = {}): Promise<string> {
  return withDocker(undefined, (docker) => builtImage(docker, postgresImageContext, buildArguments));
}

/** Builds the monitoring image in the same way. */
export function monitoringImage(): Promise<string> {
  return withDocker(undefined, (docker) => builtImage(docker, monitoringImageContext, {}));
}

/** Builds the pooler's image in the same way. */
export function poolerImage(): Promise<string> {
  return withDocker(undefined, (docker) => builtImage(docker, poolerImageContext, {}));
}

/** Builds the image of the tests' SFTP server in the same way. */
export function sftpImage(): Promise<string> {
  return withDocker(undefined, (docker) => builtImage(docker, join(cloneRoot, "test", "docker", "sftp", "image"), {}));
}

async function builtImage(
  docker: Docker,
  context: string,
  buildArguments: Readonly<Record<string, string>>,
): Promise<string> {
  const digest = await contextDigest(context, buildArguments);
  const tag = `pgroundwork-test-${basename(context)}:${digest}`;
  if (await hasImage(docker, tag)) return tag;
  const folder = join(tmpdir(), "pgroundwork-test-images");
  await mkdir(folder, { recursive: true });
  const lock = new FolderLock(folder, join(folder, `${digest}.lock`));
  for (;;) {
    const release = await lock.take();
    if (release === undefined) {
      await delay(500);
      continue;
    }
    try {
      if (await hasImage(docker, tag)) return tag;
      const { error, output } = await buildImage(docker, context, tag, buildArguments);
      if (error !== undefined) throw new Error(`${error}\n${output.slice(-4_000)}`);
      return tag;
    } finally {
      await release();
    }
  }
}

async function contextDigest(context: string, buildArguments: Readonly<Record<string, string>>): Promise<string> {
  const hash = createHash("sha256").update(JSON.stringify(Object.entries(buildArguments).sort()));
  const entries = await readdir(context, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  for (const file of files.sort()) hash.update(`\0${relative(context, file)}\0`).update(await readFile(file));
  return hash.digest("hex").slice(0, 16);
}
