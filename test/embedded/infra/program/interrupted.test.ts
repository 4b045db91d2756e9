import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Clone } from "../../clone.ts";
import { changesOf } from "./changes.ts";
import { commit, holdMigrations, makeShop, shopDrafts } from "./shop.ts";

// test/soak/infra/program/killed-at-points.test.ts kills it at later moments, too.
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
    await clone.useHosts();
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
    await clone.useHosts();
    await clone.succeed("up");
    expect(await clone.query("readonly", "select name from product order by id")).toEqual([
      { name: "tea" },
      { name: "coffee" },
    ]);
    expect(await changesOf(clone, "up")).toEqual([]);
  });

  it("complete the work of the first, while the second names the holder of the lock", async () => {
    const migrations = await holdMigrations(clone);
    await commit(clone, [...shopDrafts, { name: "added", body: "create table added (id integer);" }]);
    const first = clone.pgw("up");
    await migrations.begun();
    const second = await clone.pgw("up");
    await migrations.release();
    expect(second.code, second.stdout).toBe(1);
    expect(second.stderr).toMatch(refusal);
    expect((await first).code).toBe(0);
    expect(await clone.query("readonly", "select count(*)::int as rows from added")).toEqual([{ rows: 0 }]);
    expect(await changesOf(clone, "up")).toEqual([]);
  });
});

async function kill(up: ChildProcess): Promise<void> {
  if (up.pid === undefined) throw new Error("It has ended already.");
  process.kill(-up.pid, "SIGKILL");
  if (up.exitCode === null && up.signalCode === null) await once(up, "exit");
}

/** Lists the files in the folder of the project's only server. */
async function serverFiles(clone: Clone): Promise<string[]> {
  const servers = join(clone.dataHome, "servers");
  const [server] = existsSync(servers) ? await readdir(servers) : [];
  return server === undefined ? [] : readdir(join(servers, server));
}
