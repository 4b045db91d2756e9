import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { OutputSplitter } from "../../../../scripts/docker/output-splitter.ts";

/** Formats one chunk of a command's output as Docker sends it. */
function chunk(stream: 1 | 2, text: string): Buffer {
  const header = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0]);
  header.writeUInt32BE(text.length, 4);
  return Buffer.concat([header, Buffer.from(text)]);
}

describe("the output of a command in a container", () => {
  it.each([1, 3, 8, 1_000])("is split into streams, also if it arrives in pieces of %i bytes", async (size) => {
    const sent = Buffer.concat([chunk(1, "rows "), chunk(2, "warning"), chunk(1, ""), chunk(1, "more rows")]);
    const pieces = Array.from({ length: Math.ceil(sent.length / size) }, (_, at) =>
      sent.subarray(at * size, (at + 1) * size),
    );
    const splitter = new OutputSplitter();
    const output = await buffer(Readable.from(pieces).pipe(splitter));
    expect([output.toString(), splitter.errors]).toEqual(["rows more rows", "warning"]);
  });
});
