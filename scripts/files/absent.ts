/**
 * What is read of a file or folder; undefined: it is not there.
 *
 * @param saysSo which errors say that
 */
export async function unlessAbsent<T>(work: Promise<T>, saysSo = isAbsent): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (saysSo(error)) return undefined;
    throw error;
  }
}

/** The same of what is read synchronously. */
export function unlessAbsentSync<T>(work: () => T, saysSo = isAbsent): T | undefined {
  try {
    return work();
  } catch (error) {
    if (saysSo(error)) return undefined;
    throw error;
  }
}

/** Whether a caught value says that a file or folder is not there. */
export function isAbsent(error: unknown): boolean {
  return codeOf(error) === "ENOENT";
}

/** The same, also where a file stands in the place of a folder that would hold it. */
export function leadsNowhere(error: unknown): boolean {
  return isAbsent(error) || codeOf(error) === "ENOTDIR";
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
