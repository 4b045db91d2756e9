import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
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
  const path = await writeLock("cut-off.json", '{"pid":12,"user');
  const [finding] = lockFindings("dev", await engineLocks(state, "shop", "dev"));
  expect(finding).toEqual({
    kind: "engine-lock",
    found: `could not tell who holds stack "dev": ${path}`,
    advice: `Wait for it to end. If it was killed: delete ${path}.`,
  });
});

it("a stack is in use unless every holder is known to be gone", async () => {
  await writeLock("dead.json", lock(hostname(), gone));
  expect(isInUse(await engineLocks(state, "shop", "dev"))).toBe(false);
  await writeLock("elsewhere.json", lock("elsewhere", gone));
  expect(isInUse(await engineLocks(state, "shop", "dev"))).toBe(true);
});
