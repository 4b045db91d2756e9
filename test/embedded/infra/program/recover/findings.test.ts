import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { serverFolders } from "../../../../../scripts/server/server-record.ts";
import { findings } from "../../../../recover-findings.ts";
import type { Clone } from "../../../clone.ts";
import { moments } from "../killed/moments.ts";
import { kill, stillRunning, victims } from "../killed/victims.ts";
import { makeShop } from "../shop.ts";

describe("recover on a stack that was brought up", () => {
  let clone: Clone;
  let server: string;

  beforeAll(async () => {
    clone = await makeShop();
    await clone.succeed("up");
    [server = ""] = await serverFolders(clone.dataHome);
  });
  afterAll(() => clone?.remove());

  it("has nothing to do", async () => {
    expect(await clone.succeed("recover")).toMatchObject({
      stdout: 'nothing was left by a killed run of stack "local"\n',
      stderr: "",
    });
    expect((await clone.pgw("recover", "--dry-run")).code).toBe(0);
  });

  it("names a lock of another machine, and leaves it", async () => {
    const locks = join(clone.root, ".pgroundwork", ".pulumi", "locks", "organization", "pgroundwork", "local");
    await mkdir(locks, { recursive: true });
    const lock = join(locks, "7a.json");
    const holder = { pid: 1, username: "ana", hostname: "elsewhere", timestamp: "2026-11-21T07:21:33Z" };
    await writeFile(lock, JSON.stringify(holder));
    expect(await findings(clone)).toEqual([
      {
        kind: "engine-lock",
        found:
          'another machine holds stack "local", which cannot be told dead from here: ana@elsewhere (pid 1) since 2026-11-21T07:21:33Z',
        action: null,
        advice: `Wait for it to end. If it was killed: delete ${lock}.`,
        done: false,
      },
    ]);
    expect(existsSync(lock)).toBe(true);
    await rm(lock);
  });

  it("takes away a lock that was never written to its end, as the `up` that trips over it says", async () => {
    const locks = join(clone.root, ".pgroundwork", ".pulumi", "locks", "organization", "pgroundwork", "local");
    await mkdir(locks, { recursive: true });
    const lock = join(locks, "7a.json.18e9fe72b84083af.tmp");
    await writeFile(lock, "");
    const up = await clone.pgw("up");
    expect(up.code).toBe(1);
    expect(up.stderr).toContain('A run that was killed left a lock on stack "local" that is not whole');
    expect(up.stderr).toContain("Take back what it left, then try again: `npm run pgw -- recover`");
    expect(await findings(clone)).toMatchObject([
      {
        kind: "engine-lock",
        found: `a lock on stack "local" was never written to its end: ${lock}`,
        action: "take it away",
        done: true,
      },
    ]);
    expect(existsSync(lock)).toBe(false);
  });

  it("takes away a data directory half-made and a lock that nobody holds, and says so first", async () => {
    await mkdir(join(server, "data.initdb-1", "base"), { recursive: true });
    await writeFile(join(server, "data.initdb-1.password"), "secret");
    await mkdir(join(server, "lock"));
    const longAgo = new Date(Date.now() - 3_600_000);
    await utimes(join(server, "lock"), longAgo, longAgo);

    const looked = await clone.pgw("recover", "--dry-run");
    expect(looked.code).toBe(4);
    expect(looked.stdout).toBe("2 to take back\nNext: npm run pgw -- recover\n");
    expect(looked.stderr).toBe(
      [
        `found a data directory was being made for ${server}/data: ${server}/data.initdb-1, ${server}/data.initdb-1.password`,
        "      to do: delete what there is of it",
        `found the server's lock ${server}/lock is held by nobody`,
        "      to do: free it",
        "",
      ].join("\n"),
    );
    expect((await readdir(server)).sort()).toEqual([
      "data",
      "data.initdb-1",
      "data.initdb-1.password",
      "lock",
      "log",
      "server.json",
    ]);

    const done = await clone.succeed("recover");
    expect(done.stdout).toBe("2 taken back\nNext: npm run up\n");
    expect(done.stderr).toBe(`${looked.stderr}done  delete what there is of it\ndone  free it\n`);
    expect((await readdir(server)).sort()).toEqual(["data", "log", "server.json"]);
    expect((await clone.succeed("up")).stdout).toContain("no changes");
  });

  it("says that the next up takes over a server that the state does not know", async () => {
    await rm(join(clone.root, ".pgroundwork", ".pulumi"), { recursive: true });
    const [finding, ...others] = await findings(clone);
    expect(others).toEqual([]);
    expect(finding).toMatchObject({
      kind: "server",
      action: null,
      advice: "The next `up` takes it over, with new passwords.",
    });
    expect(finding?.found).toMatch(
      /^the state of stack "local" does not know its server: running on port \d+ \(pid \d+\), \d+ MB, 1 database, in /,
    );
    await clone.succeed("up");
    expect(await clone.query("readonly", "select name from product where id = 1")).toEqual([{ name: "tea" }]);
  });
});

describe("an up whose engine was killed", () => {
  let clone: Clone;

  beforeEach(async () => {
    clone = await makeShop();
    await moments.migrating.prepare(clone);
    const up = clone.start("up");
    const ended = once(up, "exit");
    await moments.migrating.reached(clone);
    await kill(clone, victims.engine);
    await ended;
    return () => clone.remove();
  });

  it("leaves a lock, unfinished entries of the state and plugins, which recover finds", async () => {
    const kinds = (await findings(clone, "--dry-run")).map(({ kind }) => kind);
    expect(kinds).toContain("engine-lock");
    expect(kinds).toContain("pending-operation");
    expect(await findings(clone)).not.toContainEqual(
      expect.objectContaining({ action: expect.any(String), done: false }),
    );
    expect(await stillRunning(clone)).toEqual([]);
    expect(await findings(clone)).toEqual([]);
  });

  it("is followed by one that takes it back first where --recover asks for it", async () => {
    const refused = await clone.pgw("up");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("Take back what it left, then try again: `npm run pgw -- recover`");
    const up = await clone.succeed("up", "--recover");
    expect(up.stderr).toContain("done  take the lock away");
    expect(await findings(clone)).toEqual([]);
  });

  it("is followed by one that offers it on a terminal, and does nothing where it is declined", async () => {
    const typed = (answer: string) =>
      clone.shell(`printf '%s\\n' ${answer} | script -qec "node_modules/.bin/node scripts/pgw.mjs up" /dev/null`);
    const declined = await typed("n");
    expect(declined.stdout).toContain("Recover and go on? [Y/n]");
    expect(declined.code).toBe(1);
    expect(await findings(clone, "--dry-run")).not.toEqual([]);
    const taken = await typed("y");
    expect(taken.code, taken.stdout).toBe(0);
    expect(await findings(clone)).toEqual([]);
  });
});
