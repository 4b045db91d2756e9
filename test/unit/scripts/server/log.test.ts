import { appendFile, mkdtemp, rm, truncate, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { followLog, lastLines, newestLog } from "../../../../scripts/server/log.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pgw-log-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const write = async (name: string, text: string, age = 0) => {
  const path = join(folder, name);
  await writeFile(path, text);
  const at = Date.now() / 1000 - age;
  await utimes(path, at, at);
  return path;
};

describe("the end of a server's log", () => {
  it("is none where there is no log, or no folder for one", async () => {
    expect(await lastLines(folder, 5)).toEqual([]);
    expect(await lastLines(join(folder, "absent"), 5)).toEqual([]);
  });

  it("comes from the file written last that is not empty", async () => {
    await write("postgresql-Mon.log", "old\n", 100);
    const path = await write("startup.log", "new\n", 50);
    await write("postgresql-Tue.log", "");
    await write("notes.txt", "no log\n");
    expect(await newestLog(folder)).toBe(path);
    expect(await lastLines(folder, 5)).toEqual(["new"]);
  });

  it("is the last lines in their order", async () => {
    await write("postgresql-Mon.log", "one\ntwo\nthree\n");
    expect(await lastLines(folder, 2)).toEqual(["two", "three"]);
    expect(await lastLines(folder, 9)).toEqual(["one", "two", "three"]);
  });

  it("of a large file is read without reading all of it", async () => {
    const path = await write("postgresql-Mon.log", "");
    // Sparse: reading 8 GB would not end, and no buffer holds them.
    await truncate(path, 8 * 2 ** 30);
    await appendFile(path, "\nbefore last\nlast\n");
    expect(await lastLines(folder, 2)).toEqual(["before last", "last"]);
  });
});

describe("following a log", () => {
  it("hands over what comes, and goes along to the next file", async () => {
    const monday = await write("postgresql-Mon.log", "before\n", 10);
    const stop = new AbortController();
    let seen = "";
    const following = followLog(
      folder,
      (text) => {
        seen += text;
      },
      stop.signal,
    );
    // Again and again, since nothing tells when the following has begun.
    const writing = setInterval(() => void appendFile(monday, "monday\n"), 50);
    await expect.poll(() => seen, { timeout: 4_000 }).toContain("monday\n");
    clearInterval(writing);
    expect(seen).not.toContain("before");
    await write("postgresql-Tue.log", "tuesday\n", -10);
    await expect.poll(() => seen, { timeout: 4_000 }).toMatch(/^(monday\n)+tuesday\n$/);
    stop.abort();
    await following;
  });
});
