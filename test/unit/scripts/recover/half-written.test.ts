import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Scene } from "../../../../scripts/recover/finding.ts";
import { halfWritten } from "../../../../scripts/recover/half-written.ts";

const uuid = "6f1c2a9e-0b7d-4a55-9d55-3f1c2a9e0b7d";
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "half-written-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function write(path: string, ageMs: number): Promise<string> {
  const full = join(folder, path);
  await mkdir(join(full, ".."), { recursive: true });
  await writeFile(full, "");
  const then = new Date(Date.now() - ageMs);
  await utimes(full, then, then);
  return full;
}

async function find() {
  const scene = { root: join(folder, "clone"), home: join(folder, "home"), stack: "dev" } as Scene;
  return halfWritten(scene, "shop", join(folder, "state"));
}

const hour = 3_600_000;

it("what was broken off an hour ago is deleted: programs, a passphrase, an exported state", async () => {
  const left = [
    await write(`home/postgresql/17.10.0-beta.17.${uuid}`, hour),
    await write("clone/.pgroundwork/passphrase.4425-0a1b2c3d", hour),
    await write(`clone/.pgroundwork/state-${uuid}.json`, hour),
  ];
  const findings = await find();
  expect(findings.map(({ found }) => found)).toEqual(left.map((path) => `it was never written to its end: ${path}`));
  for (const finding of findings) await finding.act?.();
  expect(left.map(existsSync)).toEqual([false, false, false]);
});

it("what somebody may be writing right now is left", async () => {
  await write(`home/postgresql/17.10.0-beta.17.${uuid}`, 1_000);
  await write("clone/.pgroundwork/passphrase.4425-0a1b2c3d", 1_000);
  expect(await find()).toEqual([]);
});

it("a half-written state of the stack is deleted at any age, since nobody works on it", async () => {
  const left = await write("state/stacks/shop/dev.json.18e9fe72b84083af.tmp", 0);
  expect((await find()).map(({ found }) => found)).toEqual([`it was never written to its end: ${left}`]);
});

it("a half-written state is left where somebody has locked the stack since it was found", async () => {
  const left = await write("state/stacks/shop/dev.json.18e9fe72b84083af.tmp", 0);
  const [finding] = await find();
  const lock = await write("state/locks/organization/shop/dev/1.json", 0);
  await writeFile(lock, JSON.stringify({ pid: 1, username: "ana", hostname: "elsewhere", timestamp: "" }));
  await finding?.act?.();
  expect(existsSync(left)).toBe(true);
  await rm(lock);
  await finding?.act?.();
  expect(existsSync(left)).toBe(false);
});

it("what is whole, or another stack's, is left", async () => {
  for (const path of [
    "home/postgresql/17.10.0-beta.17",
    "clone/.pgroundwork/passphrase",
    "clone/.pgroundwork/erasing-dev.json",
    "state/stacks/shop/dev.json",
    "state/stacks/shop/dev.json.bak",
    "state/stacks/shop/dev2.json.18e9fe72b84083af.tmp",
  ])
    await write(path, hour);
  expect(await find()).toEqual([]);
});
