import { finished } from "node:stream/promises";
import type { Client } from "pg";
import { from as copyFrom } from "pg-copy-streams";

/** Size in bytes from which rows are sent. */
const chunkBytes = 1 << 20;

/**
 * Sends rows by COPY, in chunks, for several tables over one connection. While the server reads a chunk, the next one
 * is made.
 */
export class CopyWriter {
  readonly #client: Client;
  readonly #pending = new Map<string, { text: string; bytes: number }>();
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
      chunk = { text: "", bytes: 0 };
      this.#pending.set(sql, chunk);
    }
    chunk.text += line;
    chunk.bytes += line.length;
    return chunk.bytes < chunkBytes ? undefined : this.#send(sql);
  }

  /** Sends everything that was added, and waits until the server has it. */
  async flush(): Promise<void> {
    for (const sql of [...this.#pending.keys()]) await this.#send(sql);
    await this.#sending;
  }

  async #send(sql: string): Promise<void> {
    const text = this.#pending.get(sql)?.text ?? "";
    this.#pending.delete(sql);
    await this.#sending;
    this.#sending = this.#copy(sql, Buffer.from(text, "utf8"));
    // It is awaited with the next chunk; until then an error must not count as unhandled.
    this.#sending.catch(() => {});
  }

  async #copy(sql: string, chunk: Buffer): Promise<void> {
    const stream = this.#client.query(copyFrom(sql));
    stream.end(chunk);
    await finished(stream);
  }
}

/** Writes a value in COPY's text format. */
export function copyField(text: string | null): string {
  if (text === null) return "\\N";
  return /[\\\n\r\t]/.test(text)
    ? text.replaceAll(/[\\\n\r\t]/g, (character) => escapes[character] ?? character)
    : text;
}

const escapes: Readonly<Record<string, string>> = { "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };
