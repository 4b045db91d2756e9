import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { PassThrough, type Readable, Transform, type TransformCallback, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import { OperationError } from "../../core/operation-error.ts";
import { decrypted, encrypted } from "./encryption.ts";
import type { DumpFile } from "./metadata.ts";

/** Form in which a file of a dump is stored. */
export interface Storage {
  compressed: boolean;
  /** Level of gzip, from 1 (fast) to 9. Default: 6. */
  level?: number;
  /** Public keys. Empty: not encrypted. */
  recipients: readonly string[];
  /** Name of what is stored, for messages. Default: dump. */
  what?: string;
}

/** Returns the name under which a file is stored: `dump.sql.gz.age`. */
export function storedName(name: string, { compressed, recipients }: Storage): string {
  return `${name}${compressed ? ".gz" : ""}${recipients.length > 0 ? ".age" : ""}`;
}

/** Counts and hashes what passes through. */
class Digest extends Transform {
  readonly #hash = createHash("sha256");
  bytes = 0;

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#hash.update(chunk);
    this.bytes += chunk.length;
    done(null, chunk);
  }

  get sha256(): string {
    return this.#hash.digest("hex");
  }
}

/**
 * Stores the output of some work in a new file, readable only by its owner, and writes it through to the disk.
 *
 * @throws OperationError if the disk is full or cannot be written
 */
export async function storeFile(
  folder: string,
  name: string,
  storage: Storage,
  work: (output: Writable) => Promise<void>,
): Promise<DumpFile> {
  const stored = storedName(name, storage);
  const head = new PassThrough();
  const digest = new Digest();
  const file = createWriteStream(join(folder, stored), { flags: "wx", mode: 0o600, flush: true });
  const write = async () => {
    const compressed = storage.compressed ? head.pipe(createGzip({ level: storage.level ?? 6 })) : head;
    // A pipe does not pass on errors.
    head.once("error", (error: Error) => compressed.destroy(error));
    const source = storage.recipients.length > 0 ? await encrypted(compressed, storage.recipients) : compressed;
    await pipeline(source, digest, file);
  };
  const written = write().catch((error: unknown) => {
    head.destroy(error as Error);
    throw storageError(error, dirname(folder), storage.what);
  });
  const worked = work(head).catch((error: unknown) => {
    head.destroy(error as Error);
    throw error;
  });
  const [storing, working] = await Promise.allSettled([written, worked]);
  // If the disk is full, the work fails, too, with a less precise error.
  if (storing.status === "rejected" && storing.reason instanceof OperationError) throw storing.reason;
  if (working.status === "rejected") throw working.reason;
  if (storing.status === "rejected") throw storing.reason;
  return { name: stored, bytes: digest.bytes, sha256: digest.sha256 };
}

/** Converts an error of the file system to one for the user. Returns other errors unchanged. */
export function storageError(error: unknown, folder: string, what = "dump"): unknown {
  const { code, syscall, message } = error as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined) return error;
  return new OperationError(`The ${what} could not be written to ${folder}: ${message}. Nothing is left there.`, {
    hint: "Free space, or set BACKUP_DIR to another folder, then run again.",
    cause: error,
  });
}

/**
 * Opens a stored file as it was before it was compressed and encrypted.
 *
 * @param identityFile file with the private key, if the file is encrypted
 * @param stored content of the file, if it is not on this machine
 */
export async function openFile(path: string, identityFile: string | undefined, stored?: Readable): Promise<Readable> {
  const name = path.replace(/\.age$/, "");
  const file = stored ?? createReadStream(path);
  const source = name === path ? file : await decrypted(file, identityFile);
  if (!name.endsWith(".gz")) return source;
  const content = createGunzip();
  source.once("error", (error: Error) => content.destroy(error));
  return source.pipe(content);
}

/** Hashes a stored file. */
export async function hashFile(path: string, signal?: AbortSignal): Promise<Pick<DumpFile, "bytes" | "sha256">> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20, ...(signal && { signal }) })) {
    hash.update(chunk as Buffer);
    bytes += (chunk as Buffer).length;
  }
  return { bytes, sha256: hash.digest("hex") };
}

/** Hashes the files of a folder. Their names are relative to its parent. */
export async function hashFolder(parent: string, folder: string, signal: AbortSignal): Promise<DumpFile[]> {
  const names = (await readdir(join(parent, folder))).sort();
  const files: DumpFile[] = [];
  for (const name of names)
    files.push({ name: `${folder}/${name}`, ...(await hashFile(join(parent, folder, name), signal)) });
  return files;
}
