import { finished } from "node:stream/promises";
import type { Client } from "pg";
import { from as copyFrom } from "pg-copy-streams";

/** Size in bytes of the rows that are sent at once. */
const chunkBytes = 1 << 18;

/** Rows of one COPY statement that wait to be sent. */
interface Chunk {
  buffer: Buffer;
  bytes: number;
}

/**
 * Sends rows by COPY, in chunks, for several tables over one connection. While the server reads a chunk, the next one
 * is made. The buffers are used again, so that memory does not grow with the number of rows.
 */
export class CopyWriter {
  readonly #client: Client;
  readonly #pending = new Map<string, Chunk>();
  readonly #free: Buffer[] = [];
  #sending: Promise<void> = Promise.resolve();

  constructor(client: Client) {
    this.#client = client;
  }

  /**
   * Adds a row.
   *
   * @param sql the COPY statement
   * @param line the row in COPY's text format, with its line feed
   * @returns a promise only if a chunk is sent
   */
  add(sql: string, line: string): Promise<void> | undefined {
    let chunk = this.#pending.get(sql);
    if (chunk === undefined) {
      chunk = { buffer: this.#free.pop() ?? Buffer.allocUnsafe(chunkBytes * 2), bytes: 0 };
      this.#pending.set(sql, chunk);
    }
    // A character has at most three bytes for each of its UTF-16 units.
    const most = chunk.bytes + line.length * 3;
    if (most > chunk.buffer.length) chunk.buffer = Buffer.concat([chunk.buffer.subarray(0, chunk.bytes)], most);
    chunk.bytes += chunk.buffer.write(line, chunk.bytes);
    return chunk.bytes < chunkBytes ? undefined : this.#send(sql, chunk);
  }

  /** Sends everything that was added, and waits until the server has it. */
  async flush(): Promise<void> {
    for (const [sql, chunk] of [...this.#pending]) await this.#send(sql, chunk);
    await this.#sending;
  }

  async #send(sql: string, chunk: Chunk): Promise<void> {
    this.#pending.delete(sql);
    await this.#sending;
    this.#sending = this.#copy(sql, chunk);
    // It is awaited with the next chunk; until then an error must not count as unhandled.
    this.#sending.catch(() => {});
  }

  async #copy(sql: string, { buffer, bytes }: Chunk): Promise<void> {
    const stream = this.#client.query(copyFrom(sql));
    stream.end(buffer.subarray(0, bytes));
    await finished(stream);
    // A buffer for a very long row is not kept.
    if (buffer.length <= chunkBytes * 2) this.#free.push(buffer);
  }
}
