import { statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { OperationError } from "../../core/operation-error.ts";

/**
 * Checks that a folder has space.
 *
 * @throws OperationError if it has less than these bytes, and five percent
 */
export async function requireSpace(folder: string, bytes: number, what: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize > bytes * 1.05) return;
  const megabytes = (value: number) => Math.ceil(value / 1_048_576);
  const hint =
    folder === tmpdir()
      ? "Free space, or set TMPDIR to a folder with more. Nothing was imported."
      : "Free space, or name another folder. Nothing was imported.";
  throw new OperationError(`${what} needs ${megabytes(bytes)} MB, and ${folder} has ${megabytes(bavail * bsize)} MB.`, {
    hint,
  });
}
