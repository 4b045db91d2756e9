import { mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import {
  completeExchange,
  exchangeClusters,
  exchangeFile,
  siblingClusters,
} from "../../../../scripts/server/cluster-exchange.ts";

let folder: string;
let data: string;
let exchange: { incoming: string; outgoing: string };
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cluster-exchange-"));
  data = join(folder, "data");
  exchange = { incoming: `${data}.restoring-20261130T120000Z`, outgoing: `${data}.before-20261130T120000Z` };
  for (const [path, text] of [
    [data, "former"],
    [exchange.incoming, "restored"],
  ] as const) {
    await mkdir(path);
    await writeFile(join(path, "PG_VERSION"), text);
  }
});
afterEach(() => rm(folder, { recursive: true }));

const begin = () => writeFile(exchangeFile(data), JSON.stringify(exchange));
/** Returns the content of each cluster by its role. */
async function clusters(): Promise<Record<string, string>> {
  const names = (await readdir(folder)).filter((name) => name !== "data.exchange");
  const read = (name: string) => readFile(join(folder, name, "PG_VERSION"), "utf8");
  const entries = names.map(async (name) => [name.replace(/^data\.|-.*/g, ""), await read(name)] as const);
  return Object.fromEntries(await Promise.all(entries));
}

it("an exchange puts the restored cluster in the place of the former one, which is kept", async () => {
  await exchangeClusters(data, exchange);
  expect(await clusters()).toEqual({ data: "restored", before: "former" });
  expect(await readdir(folder)).toHaveLength(2);
  expect(await completeExchange(data)).toBe(false);
});

it("an exchange that was killed at any step is completed once", async () => {
  const steps = [
    async () => undefined,
    () => rename(data, exchange.outgoing),
    () => rename(exchange.incoming, data),
  ] as const;
  for (let killedAfter = 0; killedAfter <= 2; killedAfter++) {
    await begin();
    for (const step of steps.slice(0, killedAfter + 1)) await step();
    expect(await completeExchange(data)).toBe(true);
    expect(await clusters()).toEqual({ data: "restored", before: "former" });
    expect(await completeExchange(data)).toBe(false);
    await rename(data, exchange.incoming);
    await rename(exchange.outgoing, data);
  }
});

it("an exchange whose restored cluster is gone returns to the former one", async () => {
  await begin();
  await rename(data, exchange.outgoing);
  await rm(exchange.incoming, { recursive: true });
  expect(await completeExchange(data)).toBe(true);
  expect(await clusters()).toEqual({ data: "former" });
});

it("an exchange is given up if a server runs on the former cluster", async () => {
  await begin();
  // As PostgreSQL's file, with a process that works in the data directory.
  const { spawn } = await import("node:child_process");
  const child = spawn("sleep", ["60"], { cwd: data });
  try {
    await writeFile(join(data, "postmaster.pid"), `${child.pid}\n${data}\n0\n5432\n`);
    expect(await completeExchange(data)).toBe(true);
    expect(await clusters()).toEqual({ data: "former", restoring: "restored" });
  } finally {
    child.kill("SIGKILL");
  }
});

it("a data directory that is a link is refused unchanged", async () => {
  const moved = join(folder, "elsewhere");
  await rename(data, moved);
  await symlink(moved, data);
  await expect(exchangeClusters(data, exchange)).rejects.toThrow("cannot be exchanged: it is a symbolic link");
  expect((await readdir(folder)).sort()).toEqual(["data", "data.restoring-20261130T120000Z", "elsewhere"]);
});

it("only folders of restores in place are listed beside a data directory", async () => {
  for (const name of [
    "data.undone-1",
    "data.removing-1",
    "data.restoring-1.unfinished",
    "data.erased-1",
    "database.before-1",
  ])
    await mkdir(join(folder, name));
  expect((await siblingClusters(data)).map(({ role }) => role).sort()).toEqual([
    ...["removing", "restoring", "restoring", "undone"],
  ]);
});
