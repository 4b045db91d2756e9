import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, expect, it } from "vitest";
import { extractDirectory, requireWritableDirectory } from "../../../../../scripts/backup/restore/extract-directory.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "extract-directory-"));
});
afterEach(() => rm(folder, { recursive: true }));

it("a destination that can be written is left as it was", async () => {
  await requireWritableDirectory(join(folder, "missing", "parents", "restored"));
  expect(await readdir(folder)).toEqual([]);
});

it("a destination below a file is refused with the reason", async () => {
  await writeFile(join(folder, "file"), "");
  const path = join(folder, "file", "restored");
  await expect(requireWritableDirectory(path)).rejects.toThrow(`A cluster cannot be written to ${path}: EEXIST`);
});

it("an archive for a destination that is in use is closed, so that its container can end", async () => {
  const path = join(folder, "restored");
  await mkdir(path);
  await writeFile(join(path, "other"), "");
  const archive = new Readable({ read() {} });
  await expect(extractDirectory(archive, path, "", new AbortController().signal)).rejects.toThrow(
    "is not an empty folder",
  );
  expect(archive.destroyed).toBe(true);
});
