import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join, relative } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import { unlessAbsent } from "../../core/absent.ts";
import { OperationError } from "../../core/operation-error.ts";
import { openSource } from "./open-source.ts";
import { makePrivateFolder } from "./private-folder.ts";
import { explainFullDisk, requireSpace } from "./require-space.ts";
import type { Source } from "./source.ts";

/** A source that was kept: its kind, the name of its file or folder, and its SHA-256. */
export interface KeptSource {
  kind: "sqlite" | "json";
  /** Path that was imported. */
  path: string;
  bytes: number;
  sha256: string;
  /** Folder with the compressed files. */
  folder: string;
}

/**
 * Checks that there is space for {@link keepSource}. Compressed text needs less, a file of random bytes needs all of
 * it.
 *
 * @throws OperationError if there is not
 */
export async function requireSpaceToKeep({ files }: Source, folder: string): Promise<void> {
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  await requireSpace(folder, bytes, "The copy of the source");
}

/**
 * Copies the files of a source, compressed with gzip, into a folder that only this user can read. A folder that exists
 * is complete, because it gets its name last.
 *
 * @throws OperationError if a file changes meanwhile, or there is no space
 */
export async function keepSource(source: Source, folder: string): Promise<void> {
  if ((await unlessAbsent(stat(folder))) !== undefined) return;
  const part = `${folder}.part`;
  await rm(part, { recursive: true, force: true });
  await requireSpaceToKeep(source, dirname(folder));
  await mkdir(dirname(folder), { recursive: true, mode: 0o700 });
  try {
    await copyInto(part, source);
  } catch (error) {
    await rm(part, { recursive: true, force: true });
    throw explainFullDisk(error, dirname(folder), "The copy of the source");
  }
  await rename(part, folder);
}

async function copyInto(folder: string, { copies, files }: Source): Promise<void> {
  for (const [index, { path, name }] of copies.entries()) {
    const to = join(folder, `${name}.gz`);
    await mkdir(dirname(to), { recursive: true, mode: 0o700 });
    const hash = createHash("sha256");
    const hashing = new Transform({
      transform: (chunk, _, done) => {
        hash.update(chunk);
        done(null, chunk);
      },
    });
    await pipeline(
      createReadStream(path, { highWaterMark: 1 << 18 }),
      hashing,
      createGzip({ level: 1 }),
      createWriteStream(to, { mode: 0o600 }),
    );
    if (hash.digest("hex") === files[index]?.sha256) continue;
    throw new OperationError(`${files[index]?.path} has changed since it was read.`, {
      hint: "Stop the process that writes to it, and run the same command again.",
    });
  }
}

/**
 * Opens a kept source from a private copy, which closing it removes.
 *
 * @throws OperationError if the kept files are gone, or are not what was imported
 */
export async function openKeptSource({ kind, path, bytes, sha256, folder }: KeptSource): Promise<Source> {
  const { path: copy, remove } = await makePrivateFolder();
  try {
    await requireSpace(tmpdir(), bytes, "The kept source");
    const names = await readNames(folder);
    for (const name of names) {
      const to = join(copy, name.replace(/\.gz$/, ""));
      await mkdir(dirname(to), { recursive: true, mode: 0o700 });
      await pipeline(createReadStream(join(folder, name)), createGunzip(), createWriteStream(to, { mode: 0o600 }));
    }
    const only = join(copy, basename(path));
    const isFile = (await unlessAbsent(stat(only)))?.isFile() === true && (kind === "sqlite" || names.length === 1);
    const source = await openSource(kind, isFile ? only : copy);
    const close = () => source.close().finally(remove);
    if (source.sha256 === sha256) return { ...source, path: folder, close };
    await source.close();
    throw new OperationError(`The source that was kept in ${folder} is not what was imported.`, {
      hint: "Name the source with --source.",
    });
  } catch (error) {
    await remove();
    throw explainFullDisk(error, tmpdir(), "The kept source");
  }
}

async function readNames(folder: string): Promise<string[]> {
  const entries = await unlessAbsent(readdir(folder, { recursive: true, withFileTypes: true }));
  if (entries === undefined)
    throw new OperationError(`The source that was kept in ${folder} is gone.`, {
      hint: "Name the source with --source.",
    });
  return entries.filter((entry) => entry.isFile()).map((entry) => relative(folder, join(entry.parentPath, entry.name)));
}
