import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { open } from "node:fs/promises";
import { dirname } from "node:path";
import { isAbsent, leadsNowhere, unlessAbsentSync } from "./absent.ts";
import { temporaryFor } from "./temporary.ts";

export interface AtomicWrite {
  /** Mode of the file. Default: the mode of an existing file, 0600 for a new one. */
  mode?: number;
  /** Owner of the file. */
  account?: { uid: number; gid: number } | undefined;
  /** Fails with EEXIST if the file exists, instead of replacing it. Of several processes one wins. */
  exclusive?: boolean;
}

/** Writes a whole file or nothing: no reader ever sees a part of it, even if this process is killed halfway. */
export function writeFileAtomically(
  path: string,
  content: string,
  { mode, account, exclusive }: AtomicWrite = {},
): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const wanted = mode ?? modeOf(path) ?? 0o600;
  const temporary = temporaryFor(path);
  try {
    writeFileSync(temporary, content, { mode: wanted, flag: "wx" });
    // The umask restricts the mode given at creation.
    chmodSync(temporary, wanted);
    if (account !== undefined) chownSync(temporary, account.uid, account.gid);
    // A link, unlike a rename, fails if the file exists.
    if (exclusive) linkSync(temporary, path);
    else renameSync(temporary, path);
  } finally {
    rmSync(temporary, { force: true });
  }
}

function modeOf(path: string): number | undefined {
  const found = unlessAbsentSync(() => statSync(path));
  return found && found.mode & 0o777;
}

/** Returns a file's text, or undefined if it does not exist. Throws any other error. */
export function readFileIfThere(path: string): string | undefined {
  return unlessAbsentSync(() => readFileSync(path, "utf8"), leadsNowhere);
}

/** Returns true if a caught value is the system error with a code, such as `ENOENT`. */
export function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

/**
 * Writes a folder's entries through to the disk. Some file systems cannot, and do not need it.
 *
 * @throws the file system's error if the folder does not exist
 */
export async function flushFolder(path: string): Promise<void> {
  const folder = await open(path, "r").catch((error: unknown) => {
    if (isAbsent(error)) throw error;
    return undefined;
  });
  await folder?.sync().catch(() => {});
  await folder?.close();
}
