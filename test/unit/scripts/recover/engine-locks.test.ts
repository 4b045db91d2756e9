import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { engineLocks, isInUse, lockFindings } from "../../../../scripts/recover/engine-locks.ts";

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

/** No system has that many. */
const gone = 4_194_305;

it("a stack without locks has none", async () => {
  expect(await engineLocks(state, "shop", "dev")).toEqual([]);
  expect(await engineLocks(state, "shop", "never-up")).toEqual([]);
});

it("the lock of a process that is gone is taken away, and only that one", async () => {
  const dead = await writeLock("dead.json", lock(hostname(), gone));
  const elsewhere = await writeLock("elsewhere.json", lock("elsewhere", gone));
  const findings = lockFindings("dev", await engineLocks(state, "shop", "dev"));
  expect(findings.map(({ found, action }) => [found, action])).toEqual([
    [
      `stack "dev" is locked by ana@${hostname()} (pid ${gone}) since ${timestamp}, a process that is gone`,
      "take the lock away",
    ],
    [
      `another machine holds stack "dev", which cannot be told dead from here: ana@elsewhere (pid ${gone}) since ${timestamp}`,
      undefined,
    ],
  ]);
  for (const finding of findings) await finding.act?.();
  expect([dead, `${dead}.attrs`, elsewhere].map(existsSync)).toEqual([false, false, true]);
});

it("a lock that does not say who holds it is named, and not taken away", async () => {
  const path = await writeLock("unknown.json", '{"pid":12}');
  const [finding] = lockFindings("dev", await engineLocks(state, "shop", "dev"));
  expect(finding).toEqual({
    kind: "engine-lock",
    found: `could not tell who holds stack "dev": ${path}`,
    advice: `Wait for it to end. If it was killed: delete ${path}.`,
  });
});

/** Written long enough ago that nobody is at it any more. */
async function leave(name: string, text: string): Promise<string> {
  const path = await writeLock(name, text);
  const then = new Date(Date.now() - 60_000);
  await utimes(path, then, then);
  return path;
}

it("locks that were never written to their end hold nobody up, and are taken away", async () => {
  const left = [
    await leave("1.json", ""),
    await leave("2.json", '{"pid":12,"user'),
    await leave("3.json.18e9fe72b84083af.tmp", ""),
  ];
  await writeFile(join(state, "locks", "organization", "shop", "dev", "3.json.attrs"), "");
  const locks = await engineLocks(state, "shop", "dev");
  expect(isInUse(locks)).toBe(false);
  const findings = lockFindings("dev", locks);
  expect(findings.map(({ found, action }) => [found, action])).toEqual(
    left.map((path) => [`a lock on stack "dev" was never written to its end: ${path}`, "take it away"]),
  );
  for (const finding of findings) await finding.act?.();
  // The attributes of a temporary file stand beside the name that it was to have.
  expect(left.map(existsSync)).toEqual([false, false, false]);
  expect(existsSync(join(state, "locks", "organization", "shop", "dev", "3.json.attrs"))).toBe(false);
});

it("a whole lock that was not renamed into its place counts as every other, since the engine reads it, too", async () => {
  const path = await leave("1.json.18e9fe72b84083af.tmp", lock("elsewhere", gone));
  expect(await engineLocks(state, "shop", "dev")).toMatchObject([{ path, unfinished: false }]);
  expect(isInUse(await engineLocks(state, "shop", "dev"))).toBe(true);
});

it("a lock that is being written right now is waited for", async () => {
  const path = await writeLock("new.json", "");
  const looked = engineLocks(state, "shop", "dev");
  await writeFile(path, lock("elsewhere", gone));
  expect(isInUse(await looked)).toBe(true);
});

it("a lock that was finished after it was found is left", async () => {
  const path = await leave("late.json", "");
  const [finding] = lockFindings("dev", await engineLocks(state, "shop", "dev"));
  await writeFile(path, lock("elsewhere", gone));
  await finding?.act?.();
  expect(existsSync(path)).toBe(true);
});

it("a stack is in use unless every holder is known to be gone", async () => {
  await writeLock("dead.json", lock(hostname(), gone));
  expect(isInUse(await engineLocks(state, "shop", "dev"))).toBe(false);
  await writeLock("elsewhere.json", lock("elsewhere", gone));
  expect(isInUse(await engineLocks(state, "shop", "dev"))).toBe(true);
});
