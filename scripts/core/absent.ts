/**
 * Returns the result of reading a file or folder; undefined if it does not exist.
 *
 * @param saysSo decides which errors mean that
 */
export async function unlessAbsent<T>(work: Promise<T>, saysSo = isAbsent): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (saysSo(error)) return undefined;
    throw error;
  }
}

/** Returns the result of a synchronous read; undefined if the file or folder does not exist. */
export function unlessAbsentSync<T>(work: () => T, saysSo = isAbsent): T | undefined {
  try {
    return work();
  } catch (error) {
    if (saysSo(error)) return undefined;
    throw error;
  }
}

/** Returns true if a caught value means that a file or folder does not exist. */
export function isAbsent(error: unknown): boolean {
  return codeOf(error) === "ENOENT";
}

/**
 * Returns true if a caught value means that a path does not exist, or that a parent of it is a file instead of a
 * folder.
 */
export function leadsNowhere(error: unknown): boolean {
  return isAbsent(error) || codeOf(error) === "ENOTDIR";
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
