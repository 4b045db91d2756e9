import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { findPostmaster } from "../../../../scripts/server/postmaster.ts";
import type { Clone } from "../../clone.ts";
import { changesOf } from "./changes.ts";
import { commit, makeShop, shopDrafts } from "./shop.ts";

describe("a first up that was killed", () => {
  let clone: Clone;

  beforeEach(async () => {
    clone = await makeShop({ ownPlugins: true });
  });
  afterEach(() => clone?.remove());

  /** Kills `pgw` and the engine as soon as a condition holds. */
  const killWhen = async (what: () => Promise<boolean>) => {
    const up = clone.start("up");
    await expect.poll(what, { timeout: 60_000, interval: 20 }).toBe(true);
    await kill(up);
  };
  const expectConverges = async () => {
    const refused = await clone.pgw("up");
    expect(refused.code, refused.stdout).toBe(1);
    expect(refused.stderr).toMatch(/A killed run left its lock on stack "local"\. Its process is gone: .*\./);
    expect(refused.stderr).toContain("\n  Clean up what it left, then try again: `npm run pgw -- recover`\n");
    const recovered = await clone.shell("npm run pgw -- recover");
    expect(recovered.code, recovered.stderr).toBe(0);
    await clone.succeed("up");
    expect(await clone.query("readonly", "select name from product order by id")).toEqual([
      { name: "tea" },
      { name: "coffee" },
    ]);
    const again = await clone.succeed("up");
    expect(again.stdout).toContain("no changes");
    expect(again.stderr).not.toContain("interrupted");
    expect(await changesOf(clone, "refresh")).toEqual([]);
  };

  it("converges after a kill while the data directory was created", async () => {
    await killWhen(async () => (await serverFiles(clone)).some((name) => name.startsWith("data")));
    await expectConverges();
  });

  it("converges after a kill when the server had just started", async () => {
    await killWhen(async () => (await serverFiles(clone)).includes("data/postmaster.pid"));
    await expectConverges();
  });

  it("converges after a kill while migrations ran", async () => {
    await commit(clone, [
      ...shopDrafts,
      { name: "slow", body: "create table slow (id integer);\nselect pg_sleep(3);" },
    ]);
    await killWhen(() => isMigrating(clone));
    await expectConverges();
  });
});

describe("two simultaneous runs of up on one stack", () => {
  let clone: Clone;

  beforeAll(async () => {
    clone = await makeShop({ ownPlugins: true });
  });
  afterAll(() => clone?.remove());

  const refusal =
    /error: Another run works on stack "local": \S+@\S+ \(pid \d+\) since \S+\.\n {2}Wait for it to end, then try again; `up --wait` waits by itself\.\n$/;

  it("deploy a new stack safely, and the refused run names the other", async () => {
    const both = await Promise.all([clone.pgw("up"), clone.pgw("up")]);
    // If both start at the same moment, each sees the other's lock.
    for (const { code, stderr } of both.filter((each) => each.code !== 0)) {
      expect(code).toBe(1);
      expect(stderr).toMatch(refusal);
    }
    await clone.succeed("up");
    expect(await clone.query("readonly", "select name from product order by id")).toEqual([
      { name: "tea" },
      { name: "coffee" },
    ]);
    expect(await changesOf(clone, "up")).toEqual([]);
  });

  it("complete the work of the first, while the second names the holder of the lock", async () => {
    await commit(clone, [
      ...shopDrafts,
      { name: "slow", body: "create table slow (id integer);\nselect pg_sleep(5);" },
    ]);
    const first = clone.pgw("up");
    await expect.poll(() => isMigrating(clone), { timeout: 60_000, interval: 20 }).toBe(true);
    const second = await clone.pgw("up");
    expect(second.code, second.stdout).toBe(1);
    expect(second.stderr).toMatch(refusal);
    expect((await first).code).toBe(0);
    expect(await clone.query("readonly", "select count(*)::int as rows from slow")).toEqual([{ rows: 0 }]);
    expect(await changesOf(clone, "up")).toEqual([]);
  });
});

async function kill(up: ChildProcess): Promise<void> {
  if (up.pid === undefined) throw new Error("It has ended already.");
  process.kill(-up.pid, "SIGKILL");
  if (up.exitCode === null && up.signalCode === null) await once(up, "exit");
}

/** Lists the files in the folder of the project's only server, and `data/postmaster.pid` if it exists. */
async function serverFiles(clone: Clone): Promise<string[]> {
  const [server] = await serverFolders(clone);
  if (server === undefined) return [];
  const files = await readdir(server);
  return existsSync(join(server, "data", "postmaster.pid")) ? [...files, "data/postmaster.pid"] : files;
}

/**
 * Returns true if the slow migration runs. Reads the process titles, because the stack has no outputs with passwords
 * yet.
 */
async function isMigrating(clone: Clone): Promise<boolean> {
  const [server] = await serverFolders(clone);
  const postmaster = server === undefined ? undefined : await findPostmaster(join(server, "data"));
  if (postmaster === undefined) return false;
  const { stdout } = await clone.shell("ps -eo ppid,args");
  const session = new RegExp(`^ *${postmaster.pid} postgres: shop_migrator shop .* SELECT *$`, "m");
  return session.test(stdout);
}

async function serverFolders(clone: Clone): Promise<string[]> {
  const servers = join(clone.dataHome, "servers");
  return existsSync(servers) ? (await readdir(servers)).map((name) => join(servers, name)) : [];
}
