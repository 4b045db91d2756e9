import { spawn } from "node:child_process";
import { existsSync, readlinkSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, realpath, rm, utimes, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { engineLocks, isInUse, lockLeftovers } from "../../../../../scripts/stack/recover/stack-locks.ts";

const timestamp = "2026-11-21T07:21:33Z";
let state: string;

beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), "state-"));
  await mkdir(join(state, "locks", "organization", "shop", "dev"), { recursive: true });
});
afterEach(() => rm(state, { recursive: true }));

async function writeLock(name: string, text: string): Promise<string> {
  const path = join(state, "locks", "organization", "shop", "dev", name);
  await writeFile(path, text);
  await writeFile(`${path}.attrs`, "");
  return path;
}

function lock(host: string, pid: number): string {
  return JSON.stringify({ pid, username: "ana", hostname: host, timestamp });
}

/** A pid that no system has. */
const gone = 4_194_305;

it("a stack without locks has no leftovers", async () => {
  expect(await engineLocks(state, "shop", "dev")).toEqual([]);
  expect(await engineLocks(state, "shop", "never-up")).toEqual([]);
});

it("the lock of a dead process is removed, and no other", async () => {
  const dead = await writeLock("dead.json", lock(hostname(), gone));
  const elsewhere = await writeLock("elsewhere.json", lock("elsewhere", gone));
  const leftovers = lockLeftovers("dev", await engineLocks(state, "shop", "dev"));
  expect(leftovers.map(({ found, action }) => [found, action])).toEqual([
    [
      `stack "dev" is locked by ana@${hostname()} (pid ${gone}) since ${timestamp}, a process that is gone`,
      "remove the lock",
    ],
    [
      `stack "dev" is locked by a process on another machine, which may still run: ana@elsewhere (pid ${gone}) since ${timestamp}`,
      undefined,
    ],
  ]);
  for (const leftover of leftovers) await leftover.act?.();
  expect([dead, `${dead}.attrs`, elsewhere].map(existsSync)).toEqual([false, false, true]);
});

it("the lock of a process that was dead is left if its pid is an engine by now", async () => {
  // A script that keeps its pid and becomes a program named like the engine.
  const engine = join(state, "pulumi");
  await copyFile("/bin/sleep", engine);
  const shell = spawn("sh", ["-c", `read line; exec ${engine} 60`], { stdio: ["pipe", "ignore", "inherit"] });
  try {
    const path = await writeLock("revived.json", lock(hostname(), shell.pid ?? 0));
    const [leftover] = lockLeftovers("dev", await engineLocks(state, "shop", "dev"));
    expect(leftover?.action).toBe("remove the lock");
    shell.stdin.end("go on\n");
    await expect.poll(() => readlinkSync(`/proc/${shell.pid}/exe`), { interval: 20 }).toBe(await realpath(engine));
    await leftover?.act?.();
    expect([path, `${path}.attrs`].map(existsSync)).toEqual([true, true]);
  } finally {
    shell.kill("SIGKILL");
  }
});

it("a lock with an unknown holder is reported and not removed", async () => {
  const path = await writeLock("unknown.json", '{"pid":12}');
  const [leftover] = lockLeftovers("dev", await engineLocks(state, "shop", "dev"));
  expect(leftover).toEqual({
    kind: "engine-lock",
    found: `the holder of a lock on stack "dev" is not known: ${path}`,
    advice: `Wait for it to end. If it was killed: delete ${path}.`,
  });
});

/** Writes a lock that is old enough not to be still in writing. */
async function leave(name: string, text: string): Promise<string> {
  const path = await writeLock(name, text);
  const then = new Date(Date.now() - 60_000);
  await utimes(path, then, then);
  return path;
}

it("locks that were not completely written do not block the stack, and are removed", async () => {
  const left = [
    await leave("1.json", ""),
    await leave("2.json", '{"pid":12,"user'),
    await leave("3.json.18e9fe72b84083af.tmp", ""),
  ];
  await writeFile(join(state, "locks", "organization", "shop", "dev", "3.json.attrs"), "");
  const locks = await engineLocks(state, "shop", "dev");
  expect(isInUse(locks)).toBe(false);
  const leftovers = lockLeftovers("dev", locks);
  expect(leftovers.map(({ found, action }) => [found, action])).toEqual(
    left.map((path) => [`a lock on stack "dev" is incomplete: ${path}`, "remove the lock"]),
  );
  for (const leftover of leftovers) await leftover.act?.();
  // The attributes of a temporary file are stored under its final name.
  expect(left.map(existsSync)).toEqual([false, false, false]);
  expect(existsSync(join(state, "locks", "organization", "shop", "dev", "3.json.attrs"))).toBe(false);
});

it("a complete lock that was not renamed counts as a lock, because the engine reads it", async () => {
  const path = await leave("1.json.18e9fe72b84083af.tmp", lock("elsewhere", gone));
  expect(await engineLocks(state, "shop", "dev")).toMatchObject([{ path, unfinished: false }]);
  expect(isInUse(await engineLocks(state, "shop", "dev"))).toBe(true);
});

it("a lock that is being written is waited for", async () => {
  const path = await writeLock("new.json", "");
  const looked = engineLocks(state, "shop", "dev");
  await writeFile(path, lock("elsewhere", gone));
  expect(isInUse(await looked)).toBe(true);
});

it("a lock that was completed after it was found is left", async () => {
  const path = await leave("late.json", "");
  const [leftover] = lockLeftovers("dev", await engineLocks(state, "shop", "dev"));
  await writeFile(path, lock("elsewhere", gone));
  await leftover?.act?.();
  expect(existsSync(path)).toBe(true);
});

it("a stack is in use unless every holder is known to be dead", async () => {
  await writeLock("dead.json", lock(hostname(), gone));
  expect(isInUse(await engineLocks(state, "shop", "dev"))).toBe(false);
  await writeLock("elsewhere.json", lock("elsewhere", gone));
  expect(isInUse(await engineLocks(state, "shop", "dev"))).toBe(true);
});
