import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { halfWritten } from "../../../../../scripts/stack/recover/half-written.ts";

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
  const env = { XDG_CACHE_HOME: join(folder, "cache") };
  const context = { env, stack: { root: join(folder, "clone"), name: "dev" }, home: join(folder, "home") };
  const server = { folder: join(folder, "server"), dataDirectory: join(folder, "server", "data"), record: undefined };
  return halfWritten(context, "shop", [server], join(folder, "state"));
}

const hour = 3_600_000;

/** Files of every kind whose names do not identify the process that writes them. */
const nameless = [
  `home/postgresql/17.10.0-beta.17.${uuid}`,
  "clone/.pgroundwork/passphrase.4425-0a1b2c3d",
  `clone/.pgroundwork/state-${uuid}.json`,
  "clone/.pgroundwork/erasing-dev.json.4425-0a1b2c3d",
  `clone/.pgroundwork/new-database-${uuid}`,
  `clone/.env.${uuid}`,
  `clone/Pulumi.dev.yaml.${uuid}`,
  `server/server.json.${uuid}`,
  `server/data/pgroundwork.check-${uuid}.conf`,
  "server/data/pgroundwork.conf.new",
  "cache/pgroundwork/install.pid.4425-0a1b2c3d",
  "cache/pgroundwork/verdicts/0b.json.4425-0a1b2c3d",
  "cache/pgroundwork/node/v24/0013c6ac.x1Yz2w",
];

it("incomplete files of every kind are deleted an hour after their last change", async () => {
  const left = [];
  for (const path of nameless) left.push(await write(path, hour));
  const leftovers = await find();
  const named = left.map((path) => `a file or folder is incomplete: ${path}`);
  expect(leftovers.map(({ found }) => found).sort()).toEqual(named.sort());
  for (const leftover of leftovers) await leftover.act?.();
  expect(left.filter(existsSync)).toEqual([]);
});

it("incomplete files that changed five minutes ago are left", async () => {
  for (const path of nameless) await write(path, 5 * 60_000);
  expect(await find()).toEqual([]);
});

it("an incomplete file is left if it changed after it was found", async () => {
  const left = await write(`home/postgresql/17.10.0-beta.17.${uuid}`, hour);
  const [leftover] = await find();
  await write(`home/postgresql/17.10.0-beta.17.${uuid}`, 0);
  await leftover?.act?.();
  expect(existsSync(left)).toBe(true);
});

it("incomplete state, history and backups of the stack are deleted at any age", async () => {
  const left = [
    await write("state/stacks/shop/dev.json.18e9fe72b84083af.tmp", 0),
    await write("state/history/shop/dev/dev-1795883427.history.json.18e9fe72b84083af.tmp", 0),
    await write("state/backups/shop/dev/dev.1795883427.json.18e9fe72b84083af.tmp", 0),
  ];
  expect((await find()).map(({ found }) => found)).toEqual(
    left.map((path) => `a file or folder is incomplete: ${path}`),
  );
});

it("an incomplete state is left if the stack was locked after it was found", async () => {
  const left = await write("state/stacks/shop/dev.json.18e9fe72b84083af.tmp", 0);
  const [leftover] = await find();
  const lock = await write("state/locks/organization/shop/dev/1.json", 0);
  await writeFile(lock, JSON.stringify({ pid: 1, username: "ana", hostname: "elsewhere", timestamp: "" }));
  await leftover?.act?.();
  expect(existsSync(left)).toBe(true);
  await rm(lock);
  await leftover?.act?.();
  expect(existsSync(left)).toBe(false);
});

it("complete files, and those of another stack, are left", async () => {
  for (const path of [
    "home/postgresql/17.10.0-beta.17",
    "clone/.pgroundwork/passphrase",
    "clone/.pgroundwork/erasing-dev.json",
    "state/stacks/shop/dev.json",
    "state/stacks/shop/dev.json.bak",
    "state/stacks/shop/dev2.json.18e9fe72b84083af.tmp",
    "state/history/shop/dev2/dev2-1795883427.history.json.18e9fe72b84083af.tmp",
    "clone/.env",
    "clone/Pulumi.dev.yaml",
    "server/server.json",
    "server/data/pgroundwork.conf",
    "cache/pgroundwork/verdicts/0b.json",
    "cache/pgroundwork/node/v24/0013c6ac",
  ])
    await write(path, hour);
  expect(await find()).toEqual([]);
});
