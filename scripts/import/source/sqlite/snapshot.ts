import { copyFile, open, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unlessAbsent } from "../../../core/absent.ts";
import { OperationError } from "../../../core/operation-error.ts";
import { makePrivateFolder } from "../private-folder.ts";
import { explainFullDisk, requireSpace } from "../require-space.ts";
import { type SourceFile, sha256Of } from "../source.ts";

/** Files that belong to a database: changes that are not in the main file yet, or that a crash left to be reverted. */
const companions = ["-wal", "-journal"];

/** A private copy of a database. */
export interface Snapshot {
  /** Path of the copy. */
  path: string;
  /** The files that were copied. */
  files: SourceFile[];
  remove(): Promise<void>;
}

/**
 * Copies a database with its `-wal` or `-journal`. Opening the original would create files beside it or change them,
 * and ignoring the `-wal` would hide its rows.
 *
 * @param isLocked tells if a database without a WAL is locked
 * @throws OperationError if the file is no complete SQLite database, changes while it is copied, or does not fit
 */
export async function takeSnapshot(path: string, isLocked: (path: string) => boolean): Promise<Snapshot> {
  const { hasWal } = await requireDatabase(path);
  if (!hasWal && isLocked(path)) {
    throw new OperationError(`${path} is locked: another process is writing to it.`, {
      hint: "Wait until it is done, or stop it. Nothing was imported.",
    });
  }
  const parts = [];
  for (const suffix of ["", ...companions]) {
    const found = await unlessAbsent(stat(path + suffix));
    if (found?.isFile() && (suffix === "" || found.size > 0)) parts.push({ suffix, bytes: found.size });
  }
  const { path: folder, remove } = await makePrivateFolder();
  try {
    await requireSpace(
      tmpdir(),
      parts.reduce((sum, { bytes }) => sum + bytes, 0),
      "The copy of the database",
    );
    const copy = join(folder, "source.db");
    const files: SourceFile[] = [];
    for (const { suffix, bytes } of parts) {
      const sha256 = await sha256Of(path + suffix);
      await copyFile(path + suffix, copy + suffix);
      if ((await sha256Of(copy + suffix)) !== sha256) throw beingWritten(path);
      files.push({ path: path + suffix, bytes, sha256 });
    }
    // A file that was copied first can have changed while the second one was.
    if ((await describeChange(files)) !== undefined) throw beingWritten(path);
    return { path: copy, files, remove };
  } catch (error) {
    await remove();
    throw explainFullDisk(error, tmpdir(), "The copy of the database");
  }
}

/** Returns a text that tells which file is no longer what it was; undefined if all are. */
export async function describeChange(files: readonly SourceFile[]): Promise<string | undefined> {
  for (const { path, sha256, bytes } of files) {
    const now = await unlessAbsent(stat(path));
    if (now === undefined) return `${path} is gone`;
    if (now.size !== bytes || (await sha256Of(path)) !== sha256) return `${path} has changed`;
  }
  return undefined;
}

function beingWritten(path: string): OperationError {
  return new OperationError(`${path} changes while it is copied: another process writes to it.`, {
    hint: "Stop that process, or import a copy that it made (VACUUM INTO). Nothing was imported.",
  });
}

/** Checks the header, because SQLite's own messages do not tell an encrypted file from a picture. */
async function requireDatabase(path: string): Promise<{ hasWal: boolean }> {
  const refuse = (what: string, hint: string) => new OperationError(`${path} ${what}.`, { hint });
  const found = await unlessAbsent(stat(path));
  if (found === undefined) throw refuse("does not exist", "Correct the path.");
  if (!found.isFile()) throw refuse("is not a file", "Name the file of a SQLite database.");
  if (found.size === 0) throw refuse("is empty", "Name the file of a SQLite database. An empty one holds no data.");
  const header = Buffer.alloc(100);
  const file = await open(path, "r");
  try {
    await file.read(header, 0, header.length, 0);
  } finally {
    await file.close();
  }
  if (header.toString("latin1", 0, 16) !== "SQLite format 3\0") {
    throw refuse(
      `is not a SQLite database: it begins with ${header.subarray(0, 16).toString("hex")}`,
      "Name a database file. If it is encrypted (SQLCipher), export it without encryption first.",
    );
  }
  const isWal = header[18] === 2;
  const size = header.readUInt16BE(16);
  const pages = header.readUInt32BE(28);
  const pageBytes = size === 1 ? 65_536 : size;
  // The number of pages is valid if both counters are equal.
  if (
    header.readUInt32BE(24) === header.readUInt32BE(92) &&
    found.size < pages * pageBytes &&
    !(await walIsFilled(path))
  ) {
    throw refuse(
      `is truncated: it has ${found.size} bytes of ${pages * pageBytes}`,
      "Copy the file again, completely. Nothing was imported.",
    );
  }
  // Opening a database with a WAL would create files beside it, and its readers are never locked out.
  return { hasWal: isWal };
}

async function walIsFilled(path: string): Promise<boolean> {
  return ((await unlessAbsent(stat(`${path}-wal`)))?.size ?? 0) > 0;
}
