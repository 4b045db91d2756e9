import { createWriteStream } from "node:fs";
import { chmod, mkdir, readdir, rename, rm, rmdir, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { extract } from "tar-stream";
import { exitCode, OperationError } from "../errors/operation-error.ts";
import { unlessAbsent } from "../files/absent.ts";

/**
 * Refuses a folder that holds something: nothing is written over.
 *
 * @throws OperationError (wrong usage)
 */
export async function requireEmptyDirectory(path: string): Promise<void> {
  const found = await readdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    if (error.code === "ENOTDIR") return [path];
    throw error;
  });
  if (found.length === 0) return;
  throw new OperationError(`${path} is there already, and not an empty folder.`, {
    remedy: "Name one that there is not yet: nothing is written over.",
    exitCode: exitCode.usage,
  });
}

/**
 * Writes the one folder that a tar archive holds to a path of this machine; what it held belongs to whoever does it. It has its name once it is complete.
 *
 * @throws OperationError where the folder is there and holds something
 */
export async function extractDirectory(
  archive: NodeJS.ReadableStream,
  path: string,
  signal: AbortSignal,
): Promise<void> {
  await requireEmptyDirectory(path);
  const unfinished = `${path}.unfinished`;
  await mkdir(dirname(path), { recursive: true });
  await rm(unfinished, { recursive: true, force: true });
  try {
    const entries = extract();
    const read = pipeline(archive, entries, { signal });
    const written = (async () => {
      for await (const entry of entries) await writeEntry(entry, unfinished);
    })();
    await Promise.all([read, written]);
    await unlessAbsent(rmdir(path));
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    throw error;
  }
}

/** One file, folder or link of an archive, with its content. */
type Entry = ReturnType<typeof extract> extends AsyncIterable<infer Item> ? Item : never;

async function writeEntry(entry: Entry, root: string): Promise<void> {
  const { name, type, mode, linkname } = entry.header;
  // The first step is the folder's own name.
  const steps = name.split("/").filter((step) => step !== "" && step !== ".");
  if (steps.includes("..")) throw new Error(`An archive's entry leads out of it: ${name}`);
  const path = join(root, ...steps.slice(1));
  if (type === "file") {
    await pipeline(entry, createWriteStream(path, { mode: mode ?? 0o600 }));
    return;
  }
  if (type === "directory") {
    await mkdir(path, { recursive: true });
    await chmod(path, mode ?? 0o700);
  } else if (type === "symlink") await symlink(linkname ?? "", path);
  entry.resume();
}
