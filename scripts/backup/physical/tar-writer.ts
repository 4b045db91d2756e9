import { type FileHandle, open } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Pack, pack } from "tar-stream";
import { unlessAbsent } from "../../core/absent.ts";

/** Folder that all entries of an archive are in. */
const root = "cluster";

/** Number of bytes that are read at once. No more of a file is ever in memory. */
const chunkBytes = 256 * 1024;

/** Writes files of a running server into a tar archive. */
export class TarWriter {
  readonly #pack: Pack = pack();
  #bytes = 0;

  /** Content of the archive, which has to be read while entries are added. */
  get stream(): Pack {
    return this.#pack;
  }

  /** Size of all files that were added. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds an empty folder. */
  async addFolder(path: string, mode: number): Promise<void> {
    await this.#add({ name: `${root}/${path}`, type: "directory", mode });
  }

  /** Adds a small file from memory. */
  async addContent(path: string, content: Buffer): Promise<void> {
    await this.#add({ name: `${root}/${path}`, mode: 0o600 }, content);
  }

  /**
   * Adds a file as long as it is when it is opened. What is appended meanwhile is left out, and zeros stand for what is
   * cut off: the WAL of the backup has both.
   *
   * @returns its size; undefined if it does not exist any more
   */
  async addFile(path: string, from: string, mode: number): Promise<number | undefined> {
    const file = await unlessAbsent(open(from, "r"));
    if (file === undefined) return undefined;
    try {
      const { size } = await file.stat();
      const header = { name: `${root}/${path}`, mode };
      if (size <= chunkBytes) await this.#add(header, await readExactly(file, 0, size));
      else await pipeline(Readable.from(chunksOf(file, size)), this.#pack.entry({ ...header, size }));
      this.#bytes += size;
      return size;
    } finally {
      await file.close();
    }
  }

  /** Ends the archive. */
  end(): void {
    this.#pack.finalize();
  }

  #add(header: Parameters<Pack["entry"]>[0], content: Buffer = Buffer.alloc(0)): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (error?: Error | null) => (error ? reject(error) : resolve());
      if (header.type === "directory") this.#pack.entry(header, done);
      else this.#pack.entry({ ...header, size: content.length }, content, done);
    });
  }
}

async function* chunksOf(file: FileHandle, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < size; at += chunkBytes) yield await readExactly(file, at, Math.min(chunkBytes, size - at));
}

/** Reads a part of a file. Zeros stand for what the file does not have. */
async function readExactly(file: FileHandle, position: number, size: number): Promise<Buffer> {
  const content = Buffer.alloc(size);
  for (let read = 0; read < size; ) {
    const { bytesRead } = await file.read(content, read, size - read, position + read);
    if (bytesRead === 0) break;
    read += bytesRead;
  }
  return content;
}
