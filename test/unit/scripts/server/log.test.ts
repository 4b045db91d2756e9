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

describe("the end of a server's log", () => {
  it("is none where there is no log, or no folder for one", async () => {
    expect(await lastLines(folder, 5)).toEqual([]);
    expect(await lastLines(join(folder, "absent"), 5)).toEqual([]);
  });

  it("comes from the file written last that is not empty", async () => {
    await write("postgresql-Mon.log", "old\n", 100);
    await write("startup.log", "new\n", 50);
    await write("postgresql-Tue.log", "");
    await write("notes.txt", "no log\n");
    expect(await lastLines(folder, 5)).toEqual(["new"]);
  });

  it("is the last lines in their order", async () => {
    await write("postgresql-Mon.log", "one\ntwo\nthree\n");
    expect(await lastLines(folder, 2)).toEqual(["two", "three"]);
    expect(await lastLines(folder, 9)).toEqual(["one", "two", "three"]);
  });

  it("since a mark has nothing that was written before it", async () => {
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

  it("of a large file is read without reading all of it", async () => {
    const path = await write("postgresql-Mon.log", "");
    // Sparse: reading 8 GB would not end, and no buffer holds them.
    await truncate(path, 8 * 2 ** 30);
    await appendFile(path, "\nbefore last\nlast\n");
    expect(await lastLines(folder, 2)).toEqual(["before last", "last"]);
    // The line before these is too long to be told whole.
    expect(await lastLines(folder, 3)).toEqual(["before last", "last"]);
  });

  it("reaches back as far as the lines asked for, and has whole lines only", async () => {
    const lines = Array.from({ length: 20_000 }, (_, index) => `line ${index} äöü`.padEnd(30, "é"));
    await write("postgresql-Mon.log", `${lines.join("\n")}\n`);
    for (const count of [1_000, 5_000, 19_999, 20_000, 30_000]) {
      expect(await lastLines(folder, count)).toEqual(lines.slice(-count));
    }
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

  /** Follows until the test ends it; `begun` is when what was there is known. */
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

  it("ends as soon as it is told to, and not when the time to look again has come", async () => {
    const followed = follow(3_600_000);
    await followed.begun();
    await followed.end();
    expect(followed.seen()).toBe("");
  });

  it("hands over the rest of one file before it goes on to the next", async () => {
    const monday = await write("postgresql-Mon.log", "before\n", 10);
    const followed = follow();
    await followed.begun();
    // In one go, so that it cannot look in between.
    appendFileSync(monday, "the rest\n");
    const tuesday = join(folder, "postgresql-Tue.log");
    writeFileSync(tuesday, "tuesday\n");
    utimesSync(tuesday, new Date(), new Date(Date.now() + 1_000));
    await expect.poll(followed.seen, { timeout: 4_000 }).toBe("the rest\ntuesday\n");
    await followed.end();
  });

  it("hands over nothing that stood in the files before, when the server goes to another file and back", async () => {
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

  it("reads a file that was truncated from its start", async () => {
    const monday = await write("postgresql-Mon.log", "of last week, and long\n", 10);
    const followed = follow();
    await followed.begun();
    await writeFile(monday, "new\n");
    await expect.poll(followed.seen, { timeout: 4_000 }).toBe("new\n");
    await followed.end();
  });
});
