import { statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname } from "node:path";
import { unlessAbsent } from "../../core/absent.ts";
import { OperationError } from "../../core/operation-error.ts";

/**
 * Checks that a folder has space. One that does not exist yet is on the disk of its parent.
 *
 * @throws OperationError if it has less than these bytes, and five percent
 */
export async function requireSpace(folder: string, bytes: number, what: string): Promise<void> {
  let found = await unlessAbsent(statfs(folder));
  for (let parent = dirname(folder); found === undefined; parent = dirname(parent))
    found = await unlessAbsent(statfs(parent));
  const { bavail, bsize } = found;
  if (bavail * bsize > bytes * 1.05) return;
  const megabytes = (value: number) => Math.ceil(value / 1_048_576);
  throw new OperationError(`${what} needs ${megabytes(bytes)} MB, and ${folder} has ${megabytes(bavail * bsize)} MB.`, {
    hint: hintFor(folder),
  });
}

/** Explains an error of a file that was written because its disk is full. Returns other errors as they are. */
export function explainFullDisk(error: unknown, folder: string, what: string): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code !== "ENOSPC" && code !== "EDQUOT") return error;
  return new OperationError(`${what} could not be written to ${folder}, because its disk is full: ${message}.`, {
    hint: hintFor(folder),
    cause: error,
  });
}

function hintFor(folder: string): string {
  const what = folder === tmpdir() ? "set TMPDIR to a folder with more" : "name another folder";
  return `Free space, or ${what}. Then run the same import again. Nothing was imported.`;
}
