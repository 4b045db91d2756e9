import { getEventListeners } from "node:events";
import { appendFileSync, utimesSync, writeFileSync } from "node:fs";
import { appendFile, mkdtemp, rm, truncate, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { followLog, lastLines, markLog } from "../../../../scripts/server/log.ts";

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

describe("the end of a server log", () => {
  it("is empty if there is no log or no folder", async () => {
    expect(await lastLines(folder, 5)).toEqual([]);
    expect(await lastLines(join(folder, "absent"), 5)).toEqual([]);
  });

  it("comes from the newest file that is not empty", async () => {
    await write("postgresql-Mon.log", "old\n", 100);
    await write("startup.log", "new\n", 50);
    await write("postgresql-Tue.log", "");
    await write("notes.txt", "no log\n");
    expect(await lastLines(folder, 5)).toEqual(["new"]);
  });

  it("has the last lines in order", async () => {
    await write("postgresql-Mon.log", "one\ntwo\nthree\n");
    expect(await lastLines(folder, 2)).toEqual(["two", "three"]);
    expect(await lastLines(folder, 9)).toEqual(["one", "two", "three"]);
  });

  it("has only lines after a mark, if one is given", async () => {
    const startup = await write("startup.log", "an old failure\n", 50);
    const mark = await markLog(folder);
    expect(await lastLines(folder, 5, mark)).toEqual([]);
    await write("postgresql-Mon.log", "a new file\n", 20);
    expect(await lastLines(folder, 5, mark)).toEqual(["a new file"]);
    await appendFile(startup, "one\ntwo\n");
    expect(await lastLines(folder, 1, mark)).toEqual(["two"]);
    expect(await lastLines(folder, 5, mark)).toEqual(["one", "two"]);
    await write("startup.log", "cut\n");
    expect(await lastLines(folder, 5, mark)).toEqual(["cut"]);
  });

  it("is read without reading all of a large file", async () => {
    const path = await write("postgresql-Mon.log", "");
    // A sparse file: reading 8 GB would not end, and no buffer can hold them.
    await truncate(path, 8 * 2 ** 30);
    await appendFile(path, "\nbefore last\nlast\n");
    expect(await lastLines(folder, 2)).toEqual(["before last", "last"]);
    // The line before these is too long to be printed completely.
    expect(await lastLines(folder, 3)).toEqual(["before last", "last"]);
  });

  it("has as many complete lines as requested", async () => {
    const lines = Array.from({ length: 20_000 }, (_, index) => `line ${index} äöü`.padEnd(30, "é"));
    await write("postgresql-Mon.log", `${lines.join("\n")}\n`);
    for (const count of [1_000, 5_000, 19_999, 20_000, 30_000]) {
      expect(await lastLines(folder, count)).toEqual(lines.slice(-count));
    }
  });
});

describe("following a server log", () => {
  it("passes on new text, and continues with the next file", async () => {
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
    // Writes repeatedly, because nothing signals that following has begun.
    const writing = setInterval(() => void appendFile(monday, "monday\n"), 50);
    await expect.poll(() => seen, { timeout: 4_000 }).toContain("monday\n");
    clearInterval(writing);
    expect(seen).not.toContain("before");
    await write("postgresql-Tue.log", "tuesday\n", -10);
    await expect.poll(() => seen, { timeout: 4_000 }).toMatch(/^(monday\n)+tuesday\n$/);
    stop.abort();
    await following;
  });

  /** Follows until the test ends it. `begun` resolves when the existing content has been read. */
  function follow(every?: number) {
    const stop = new AbortController();
    const seen: string[] = [];
    const following = followLog(folder, (text) => seen.push(text), stop.signal, every);
    return {
      seen: () => seen.join(""),
      // It listens to the signal while it waits.
      begun: () => expect.poll(() => getEventListeners(stop.signal, "abort").length).toBe(1),
      end: () => {
        stop.abort();
        return following;
      },
    };
  }

  it("ends at once on request, without waiting for the next poll", async () => {
    const followed = follow(3_600_000);
    await followed.begun();
    await followed.end();
    expect(followed.seen()).toBe("");
  });

  it("passes on the rest of a file before it continues with the next", async () => {
    const monday = await write("postgresql-Mon.log", "before\n", 10);
    const followed = follow();
    await followed.begun();
    // Synchronous, so that the follower cannot read in between.
    appendFileSync(monday, "the rest\n");
    const tuesday = join(folder, "postgresql-Tue.log");
    writeFileSync(tuesday, "tuesday\n");
    utimesSync(tuesday, new Date(), new Date(Date.now() + 1_000));
    await expect.poll(followed.seen, { timeout: 4_000 }).toBe("the rest\ntuesday\n");
    await followed.end();
  });

  it("passes on only new text when the server changes to another file and back", async () => {
    const monday = await write("postgresql-Mon.log", "before\n", 10);
    const startup = await write("startup.log", "an old start\n", 100);
    const followed = follow();
    await followed.begun();
    await appendFile(startup, "a start\n");
    await expect.poll(followed.seen, { timeout: 4_000 }).toBe("a start\n");
    await appendFile(monday, "after\n");
    await expect.poll(followed.seen, { timeout: 4_000 }).toBe("a start\nafter\n");
    await followed.end();
  });

  it("reads a truncated file from its start", async () => {
    const monday = await write("postgresql-Mon.log", "of last week, and long\n", 10);
    const followed = follow();
    await followed.begun();
    await writeFile(monday, "new\n");
    await expect.poll(followed.seen, { timeout: 4_000 }).toBe("new\n");
    await followed.end();
  });
});
