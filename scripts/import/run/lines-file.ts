import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";

/** Writes lines to a file with mode 0600. */
export async function writeLines(path: string, pages: AsyncIterable<readonly string[]>): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const texts = async function* () {
    for await (const lines of pages) yield lines.map((line) => `${line}\n`).join("");
  };
  await pipeline(texts, createWriteStream(path, { mode: 0o600 }));
}
