import { type FileHandle, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { type ErrorCounts, ErrorTally } from "./logged-errors.ts";

/** A file of the log, as far as it was read. */
interface Position {
  offset: number;
  /** First bytes of the file: another file is written over it if they differ. */
  head: Buffer;
  /** Beginning of a line that is not complete. */
  line: Buffer;
}

/** Bytes of a line that are kept. Severity, SQLSTATE and database come before the message, which can be long. */
const lineBytes = 16_384;
const headBytes = 64;
const chunkBytes = 65_536;
/** Bytes that are read at once at most, so that a burst of errors delays no snapshot. */
const mostBytes = 32 * 1024 ** 2;
/**
 * Counts the errors in a server's JSON log from the first reading on. It reads each line once, also after the server
 * began another file or wrote over one, and needs memory for a limited number of counts only.
 */
export class ErrorLog {
  readonly #files = new Map<string, Position>();
  #tally = new ErrorTally();
  #folder: string | undefined;
  #since: Date | undefined;

  /**
   * Counts what was written since the last reading. The first one counts nothing.
   *
   * @param folder of the log's files. Another one than before is another log: counting begins again.
   * @throws NodeJS.ErrnoException if a file cannot be read
   */
  async read(folder: string): Promise<ErrorCounts> {
    if (folder !== this.#folder) {
      this.#folder = folder;
      this.#since = undefined;
      this.#files.clear();
      this.#tally = new ErrorTally();
    }
    const isFirst = this.#since === undefined;
    const since = this.#since ?? new Date();
    const names = (await readdir(folder)).filter((name) => name.endsWith(".json"));
    const found = new Set<string>();
    let left = mostBytes;
    for (const name of names) {
      const file = await open(join(folder, name));
      try {
        const { dev, ino, size } = await file.stat();
        const key = `${dev}:${ino}`;
        found.add(key);
        const head = await readAt(file, 0, Math.min(size, headBytes));
        const position = this.#positionOf(key, { head, size }, isFirst);
        left -= await this.#readOn(file, position, Math.min(size - position.offset, left));
      } finally {
        await file.close();
      }
    }
    for (const key of this.#files.keys()) if (!found.has(key)) this.#files.delete(key);
    this.#since = since;
    return { countedSince: since, counts: this.#tally.counts, isBehind: left <= 0 };
  }

  #positionOf(key: string, { head, size }: { head: Buffer; size: number }, isFirst: boolean): Position {
    const known = this.#files.get(key);
    const isSame =
      known !== undefined && size >= known.offset && head.subarray(0, known.head.length).equals(known.head);
    const position = isSame ? known : { offset: isFirst ? size : 0, head, line: Buffer.alloc(0) };
    position.head = head;
    this.#files.set(key, position);
    return position;
  }

  /** Counts the lines of the next bytes of a file. Returns the number of bytes that were read. */
  async #readOn(file: FileHandle, position: Position, wanted: number): Promise<number> {
    let done = 0;
    while (done < wanted) {
      const chunk = await readAt(file, position.offset, Math.min(chunkBytes, wanted - done));
      if (chunk.length === 0) break;
      done += chunk.length;
      position.offset += chunk.length;
      let start = 0;
      for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
        this.#count(joined(position.line, chunk.subarray(start, end)).toString("utf8"));
        position.line = Buffer.alloc(0);
        start = end + 1;
      }
      position.line = joined(position.line, chunk.subarray(start));
    }
    return done;
  }

  #count(line: string): void {
    const severity = /"error_severity":"(ERROR|FATAL|PANIC)"/.exec(line)?.[1];
    const code = /"state_code":"([0-9A-Z]{5})"/.exec(line)?.[1];
    if (!line.startsWith('{"timestamp":') || severity === undefined || code === undefined) return;
    const name = /"dbname":("(?:[^"\\]|\\.)*")/.exec(line)?.[1];
    const isLogin = severity === "FATAL" && /"ps":"(?:initializing|authentication|startup)/.test(line);
    this.#tally.add({ severity, code, database: name === undefined ? null : (JSON.parse(name) as string), isLogin });
  }
}

/** Appends to the beginning of a line, up to the bytes that are kept. */
function joined(line: Buffer, more: Buffer): Buffer {
  return Buffer.concat([line, more.subarray(0, Math.max(0, lineBytes - line.length))]);
}

async function readAt(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, offset);
  return buffer.subarray(0, bytesRead);
}
