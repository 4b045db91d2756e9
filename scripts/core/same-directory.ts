import { stat } from "node:fs/promises";

/**
 * Compares directories, not paths: a bind mount or a symbolic link gives one directory two paths. Returns false if one
 * of them cannot be read.
 */
export async function isSameDirectory(one: string, other: string): Promise<boolean> {
  if (one === other) return true;
  try {
    const [a, b] = await Promise.all([one, other].map((path) => stat(path, { bigint: true })));
    return a?.dev === b?.dev && a?.ino === b?.ino;
  } catch {
    return false;
  }
}
