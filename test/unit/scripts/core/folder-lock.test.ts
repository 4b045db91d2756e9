import { mkdir, mkdtemp, readdir, rm, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FolderLock } from "../../../../scripts/core/folder-lock.ts";

describe("a folder lock", () => {
  let folder: string;
  let path: string;
  const lock = () => new FolderLock(folder, path);
  /** Tries until it gets the lock, releases it, and returns the wait in seconds. */
  const waited = async () => {
    const asking = lock();
    const begun = performance.now();
    for (let attempt = 0; attempt < 100; attempt += 1) {
      const release = await asking.take();
      const seconds = (performance.now() - begun) / 1_000;
      await release?.();
      if (release !== undefined) return seconds;
      await sleep(100);
    }
    throw new Error("the lock was never had");
  };
  /** A holder refreshes its lock every second, so a lock that is younger than some seconds may have a holder. */
  const expectTimeout = (seconds: number) => expect(seconds).toBeGreaterThan(3);

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "pgw-lock-"));
    path = join(folder, "lock");
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it("has one holder at a time, and is free again after its release", async () => {
    const release = await lock().take();
    expect(await lock().take()).toBeUndefined();
    await release?.();
    expect(await readdir(folder)).toEqual([]);
    expect(await lock().take()).toBeTypeOf("function");
  });

  it("of a dead holder is taken after some seconds and not before", async () => {
    await mkdir(path);
    expectTimeout(await waited());
  }, 20_000);

  it("of a dead holder is taken after some seconds and not before, even if the clock was set back", async () => {
    await mkdir(path);
    const tomorrow = Date.now() / 1000 + 86_400;
    await utimes(path, tomorrow, tomorrow);
    expectTimeout(await waited());
  }, 20_000);

  it("of a living holder is not taken, however long another process waits", async () => {
    const release = await lock().take();
    const asking = lock();
    for (let second = 0; second < 8; second += 1) {
      expect(await asking.take()).toBeUndefined();
      await sleep(1_000);
    }
    await release?.();
    expect(await asking.take()).toBeTypeOf("function");
  }, 20_000);

  it("that cannot be created reports why", async () => {
    await expect(new FolderLock(folder, join(folder, "missing", "lock")).take()).rejects.toMatchObject({
      code: "ENOENT",
    });
  });
});
