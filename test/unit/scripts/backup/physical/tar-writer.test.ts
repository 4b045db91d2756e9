import { appendFile, mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { extract } from "tar-stream";
import { afterEach, beforeEach, expect, it } from "vitest";
import { TarWriter } from "../../../../../scripts/backup/physical/tar-writer.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tar-writer-"));
});
afterEach(() => rm(folder, { recursive: true }));

const size = 4 * 2 ** 20;

/** Adds a file and changes it once its beginning was read. Returns its content in the archive. */
async function addChanging(change: (path: string) => Promise<void>): Promise<Buffer> {
  const path = join(folder, "file");
  await writeFile(path, Buffer.alloc(size, 1));
  const tar = new TarWriter();
  const adding = tar.addFile("base/file", path, 0o600).then((added) => {
    tar.end();
    return added;
  });
  const entries = extract();
  tar.stream.pipe(entries);
  const chunks: Buffer[] = [];
  for await (const entry of entries) {
    expect(entry.header).toMatchObject({ name: "cluster/base/file", size, mode: 0o600 });
    for await (const chunk of entry) {
      if (chunks.length === 0) await change(path);
      chunks.push(chunk as Buffer);
    }
  }
  expect(await adding).toBe(size);
  return Buffer.concat(chunks);
}

it("a file that grows while it is copied has its first size", async () => {
  expect((await addChanging((path) => appendFile(path, "more"))).equals(Buffer.alloc(size, 1))).toBe(true);
});

it("a file that shrinks while it is copied ends with zeros", async () => {
  const content = await addChanging((path) => truncate(path, 10));
  expect(content.length).toBe(size);
  expect(content.subarray(0, 10).equals(Buffer.alloc(10, 1))).toBe(true);
  expect(content.at(-1)).toBe(0);
});

it("a file that vanished is left out", async () => {
  const tar = new TarWriter();
  expect(await tar.addFile("base/file", join(folder, "gone"), 0o600)).toBeUndefined();
});
