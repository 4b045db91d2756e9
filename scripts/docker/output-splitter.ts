import { Transform, type TransformCallback } from "node:stream";

/** Size in bytes of the header before each chunk: stream, padding, length. */
const headerBytes = 8;

/** Amount of error output that is kept, in bytes: its beginning names the cause. */
const keptErrorBytes = 20_000;

/**
 * Splits the output of a command in a container. It passes on standard output and keeps the beginning of the error
 * output. Unlike Docker's own client, it waits for a slow reader, so that a large output is not held in memory.
 */
export class OutputSplitter extends Transform {
  #rest: Buffer = Buffer.alloc(0);
  #errors = Buffer.alloc(0);

  /** Beginning of the error output. */
  get errors(): string {
    return this.#errors.toString("utf8");
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    let data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (data.length >= headerBytes) {
      const end = headerBytes + data.readUInt32BE(4);
      if (data.length < end) break;
      const content = data.subarray(headerBytes, end);
      if (data[0] === 2) this.#keep(content);
      else this.push(content);
      data = data.subarray(end);
    }
    this.#rest = data;
    done();
  }

  #keep(content: Buffer): void {
    const room = keptErrorBytes - this.#errors.length;
    if (room > 0) this.#errors = Buffer.concat([this.#errors, content.subarray(0, room)]);
  }
}
