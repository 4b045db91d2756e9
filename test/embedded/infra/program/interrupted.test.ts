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

describe("an up that was killed half-way through the first one", () => {
  let clone: Clone;

  beforeEach(async () => {
    clone = await makeShop();
  });
  afterEach(() => clone?.remove());

  /** Kills `pgw` and the engine by force as soon as something is there. */
  const killWhen = async (what: () => Promise<boolean>) => {
    const up = clone.start("up");
    await expect.poll(what, { timeout: 60_000, interval: 20 }).toBe(true);
    await kill(up);
  };
  const expectConverges = async () => {
    const refused = await clone.pgw("up");
    expect(refused.code, refused.stdout).toBe(1);
    expect(refused.stderr).toMatch(/A run that was killed left its lock on stack "local": .* a process that is gone\./);
    expect(refused.stderr).toContain("\n  Take back what it left, then try again: `npm run pgw -- recover`\n");
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

  it("while the data directory was made converges", async () => {
    await killWhen(async () => (await serverFiles(clone)).some((name) => name.startsWith("data")));
    await expectConverges();
  });

  it("when the server had just been started converges", async () => {
    await killWhen(async () => (await serverFiles(clone)).includes("data/postmaster.pid"));
    await expectConverges();
  });

  it("while migrations ran converges", async () => {
    await commit(clone, [
      ...shopDrafts,
      { name: "slow", body: "create table slow (id integer);\nselect pg_sleep(3);" },
    ]);
    await killWhen(() => isMigrating(clone));
    await expectConverges();
  });
});

describe("two runs of up at once on one stack", () => {
  let clone: Clone;

  beforeAll(async () => {
    clone = await makeShop();
  });
  afterAll(() => clone?.remove());

  const refusal =
    /error: Another run works on stack "local": \S+@\S+ \(pid \d+\) since \S+\.\n {2}Wait for it to end, then try again; `up --wait` waits by itself\.\n$/;

  it("from nothing do no harm: who does not work says who does", async () => {
    const both = await Promise.all([clone.pgw("up"), clone.pgw("up")]);
    // Both see each other's lock when they begin at the same moment.
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

  it("end with the first one's work, while the second one says who holds the stack", async () => {
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

/** Paths below the folder of the clone's one server, as far as the tests look. */
async function serverFiles(clone: Clone): Promise<string[]> {
  const [server] = await serverFolders(clone);
  if (server === undefined) return [];
  const files = await readdir(server);
  return existsSync(join(server, "data", "postmaster.pid")) ? [...files, "data/postmaster.pid"] : files;
}

/** Whether the slow migration runs, by what the server's sessions call themselves: no test has a password yet. */
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
