import { createWriteStream, existsSync } from "node:fs";
import { chmod, mkdir, readdir, readlink, realpath, rename, rm, rmdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { extract } from "tar-stream";
import { unlessAbsent } from "../../core/absent.ts";
import { exitCode, OperationError } from "../../core/operation-error.ts";
import { shellQuote } from "../../core/shell.ts";
import { unfinishedDirectory, unfinishedMark } from "./begun-restore.ts";

/**
 * Refuses a folder that is not empty, or next to which a killed restore left part of a cluster. Nothing is overwritten.
 *
 * @throws OperationError (wrong usage)
 */
export async function requireEmptyDirectory(path: string): Promise<void> {
  const unfinished = unfinishedDirectory(path);
  if (existsSync(unfinished)) {
    throw new OperationError(
      `${unfinished} already exists: an earlier restore to ${path} was killed and left an incomplete cluster, or one is running.`,
      {
        hint: `If none is running, delete it, then try again:\n    rm -r ${shellQuote(unfinished)}`,
        exitCode: exitCode.usage,
      },
    );
  }
  const found = await readdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    if (error.code === "ENOTDIR") return [path];
    throw error;
  });
  if (found.length === 0) return;
  throw new OperationError(`${path} already exists and is not an empty folder.`, {
    hint: "Name a folder that does not exist: a restore does not overwrite anything.",
    exitCode: exitCode.usage,
  });
}

/**
 * Creates and removes a folder at a path to find out whether the restored cluster can be written there. Missing parent
 * folders are removed again.
 *
 * @throws OperationError (wrong usage) with the reason
 */
export async function requireWritableDirectory(path: string): Promise<void> {
  const unfinished = unfinishedDirectory(path);
  try {
    const created = await mkdir(dirname(path), { recursive: true });
    await mkdir(unfinished);
    await rmdir(unfinished);
    if (created !== undefined) await rm(created, { recursive: true });
  } catch (error) {
    const { message } = error as Error;
    throw new OperationError(`A cluster cannot be written to ${path}: ${message}`, {
      hint: "Name a folder in which you may write.",
      exitCode: exitCode.usage,
      cause: error,
    });
  }
}

/** Written last, because no server starts on a folder without it. */
const control = "global/pg_control";

/**
 * Extracts the data directory in a tar archive to a local path. The files belong to the current user. Until the folder
 * is complete, it has another name and a mark, and no server starts on it.
 *
 * @param mark text of the mark
 * @param examine examines the extracted folder under its other name; if it throws, nothing is left
 * @throws OperationError if the folder exists and is not empty
 */
export async function extractDirectory<T = void>(
  archive: Readable,
  path: string,
  mark: string,
  signal: AbortSignal,
  examine?: (folder: string) => Promise<T>,
): Promise<T | undefined> {
  const unfinished = unfinishedDirectory(path);
  try {
    await requireEmptyDirectory(path);
    await mkdir(dirname(path), { recursive: true });
    await mkdir(unfinished, { mode: 0o700 });
  } catch (error) {
    // The engine does not stop the container while its archive is not read.
    archive.destroy();
    throw error;
  }
  try {
    await writeFile(join(unfinished, unfinishedMark), mark);
    const entries = extract();
    const read = pipeline(archive, entries, { signal });
    const written = (async () => {
      for await (const entry of entries) await writeEntry(entry, unfinished);
    })();
    await Promise.all([read, written]);
    await requireOwnLinks(unfinished);
    await rename(join(unfinished, `${control}.unfinished`), join(unfinished, control));
    const examined = await examine?.(unfinished);
    await rm(join(unfinished, unfinishedMark));
    await unlessAbsent(rmdir(path));
    await rename(unfinished, path);
    return examined;
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    throw explained(error, path);
  }
}

/** Explains an error of the file system, such as a full disk. Returns other errors unchanged. */
function explained(error: unknown, path: string): unknown {
  const { code, syscall, message } = error as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined) return error;
  return new OperationError(
    `The restored cluster could not be written to ${path}: ${message}. Nothing is left there.`,
    {
      hint: "Free space, or name another folder, then restore again.",
    },
  );
}

/** File, folder or link of an archive, with its content. */
type Entry = ReturnType<typeof extract> extends AsyncIterable<infer Item> ? Item : never;

async function writeEntry(entry: Entry, root: string): Promise<void> {
  const { name, type, mode, linkname } = entry.header;
  // The first step is the name of the folder itself.
  const steps = name.split("/").filter((step) => step !== "" && step !== ".");
  if (steps.includes("..")) throw new Error(`An entry of the archive points outside of it: ${name}`);
  const inside = join(...steps.slice(1));
  const path = join(root, inside === control ? `${control}.unfinished` : inside);
  if (type === "file") {
    await pipeline(entry, createWriteStream(path, { mode: mode ?? 0o600 }));
    return;
  }
  if (type === "directory") {
    await mkdir(path, { recursive: true });
    await chmod(path, mode ?? 0o700);
  } else if (type === "symlink") await symlink(linkname ?? "", path);
  else throw new Error(`An entry of the archive has the unsupported type ${type}: ${name}`);
  entry.resume();
}

/**
 * Refuses a folder with a link whose target is missing or outside the folder. A copy of the folder would lack the
 * target.
 */
async function requireOwnLinks(root: string): Promise<void> {
  const top = await realpath(root);
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isSymbolicLink()) continue;
    const path = join(entry.parentPath, entry.name);
    const target = await realpath(path).catch(() => undefined);
    if (target?.startsWith(`${top}/`)) continue;
    throw new OperationError(
      `The copy has a link that points outside of it: ${relative(root, path)} to ${await readlink(path)}.`,
      { hint: "Restore to a volume with --to-volume, and copy the missing files from there." },
    );
  }
}
