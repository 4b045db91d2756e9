import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { temporaryFor } from "../../../../../scripts/core/temporary.ts";
import { serverFolders } from "../../../../../scripts/server/server-record.ts";
import { findings } from "../../../../recover-findings.ts";
import { leftTemporary } from "../../../../support/left-temporary.ts";
import type { Clone } from "../../../clone.ts";
import { moments } from "../killed/moments.ts";
import { kill, stillRunning, victims } from "../killed/victims.ts";
import { makeShop } from "../shop.ts";

describe("recover on a stack that is up", () => {
  let clone: Clone;
  let server: string;

  beforeAll(async () => {
    clone = await makeShop({ git: true });
    await clone.succeed("up");
    [server = ""] = await serverFolders(clone.dataHome);
  });
  afterAll(() => clone?.remove());

  it("has nothing to do", async () => {
    expect(await clone.succeed("recover")).toMatchObject({
      stdout: 'no killed run of stack "local" left anything\n',
      stderr: "",
    });
    expect((await clone.pgw("recover", "--dry-run")).code).toBe(0);
  });

  it("names a lock of another machine and leaves it", async () => {
    const locks = join(clone.root, ".pgroundwork", ".pulumi", "locks", "organization", "pgroundwork", "local");
    await mkdir(locks, { recursive: true });
    const lock = join(locks, "7a.json");
    const holder = { pid: 1, username: "ana", hostname: "elsewhere", timestamp: "2026-11-21T07:21:33Z" };
    await writeFile(lock, JSON.stringify(holder));
    expect(await findings(clone)).toEqual([
      {
        kind: "engine-lock",
        found:
          'stack "local" is locked by a process on another machine, which may still run: ana@elsewhere (pid 1) since 2026-11-21T07:21:33Z',
        action: null,
        advice: `Wait for it to end. If it was killed: delete ${lock}.`,
        done: false,
      },
    ]);
    expect(existsSync(lock)).toBe(true);
    await rm(lock);
  });

  it("removes a lock file that was not completely written, as the failing `up` advises", async () => {
    const locks = join(clone.root, ".pgroundwork", ".pulumi", "locks", "organization", "pgroundwork", "local");
    await mkdir(locks, { recursive: true });
    const lock = join(locks, "7a.json.18e9fe72b84083af.tmp");
    await writeFile(lock, "");
    const up = await clone.pgw("up");
    expect(up.code).toBe(1);
    expect(up.stderr).toContain('A killed run left an incomplete lock on stack "local"');
    expect(up.stderr).toContain("Clean up what it left, then try again: `npm run pgw -- recover`");
    expect(await findings(clone)).toMatchObject([
      {
        kind: "engine-lock",
        found: `a lock on stack "local" is incomplete: ${lock}`,
        action: "remove the lock",
        done: true,
      },
    ]);
    expect(existsSync(lock)).toBe(false);
  });

  it("reports and then removes a partial data directory and a lock that no one holds", async () => {
    await mkdir(join(server, "data.initdb-1", "base"), { recursive: true });
    await writeFile(join(server, "data.initdb-1.password"), "secret");
    await mkdir(join(server, "lock"));
    const longAgo = new Date(Date.now() - 3_600_000);
    await utimes(join(server, "lock"), longAgo, longAgo);

    const looked = await clone.pgw("recover", "--dry-run");
    expect(looked.code).toBe(4);
    expect(looked.stdout).toBe("2 to recover\nNext: npm run pgw -- recover\n");
    expect(looked.stderr).toBe(
      [
        `found incomplete data directories were left beside ${server}/data: ${server}/data.initdb-1, ${server}/data.initdb-1.password`,
        "      action: delete the incomplete files",
        `found no process holds the server's lock any more: ${server}/lock`,
        "      action: release the lock",
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
    expect(done.stdout).toBe("2 recovered\nNext: npm run up\n");
    expect(done.stderr).toBe(`${looked.stderr}done  delete the incomplete files\ndone  release the lock\n`);
    expect((await readdir(server)).sort()).toEqual(["data", "log", "server.json"]);
    expect((await clone.succeed("up")).stdout).toContain("no changes");
  });

  it("removes what a dead process was writing, as up does, but not what is being written", async () => {
    const paths = [
      join(server, "server.json"),
      join(server, "data", "pgroundwork.conf"),
      `${server}/data.initdb`,
      join(clone.dataHome, "postgresql", "17.10"),
      ...["Pulumi.local.yaml", ".env", ".pgroundwork/passphrase", ".pgroundwork/state-local.json"].map((name) =>
        join(clone.root, name),
      ),
      join(clone.root, ".pgroundwork/home/plugins/resource-docker-v5.2.0"),
      join(clone.root, ".pgroundwork/images/postgres-0123456789abcdef"),
      join(clone.root, "migrations/shop/committed/000003-x.sql"),
    ];
    const left = paths.map(leftTemporary);
    const living = temporaryFor(join(server, "server.json"));
    const leave = async () => {
      for (const path of left)
        await clone.shell(`mkdir -p '${dirname(path)}' && mkdir '${path}' && touch '${path}/half'`);
    };
    await leave();
    await writeFile(living, "half");
    const looked = JSON.parse((await clone.pgw("recover", "--dry-run", "--json")).stdout);
    const found = "a file or folder is incomplete, and the process that wrote it is gone: ";
    expect(looked.findings.map((finding: { found: string }) => finding.found).sort()).toEqual(
      left.map((path) => `${found}${path}`).sort(),
    );
    expect((await clone.succeed("recover")).stdout).toContain(`${left.length} recovered`);
    expect(left.filter(existsSync)).toEqual([]);

    await leave();
    expect((await clone.shell("git status --porcelain")).stdout).not.toContain("pgw-tmp");
    expect((await clone.succeed("up")).stdout).toContain("no changes");
    expect([...left, living].filter(existsSync)).toEqual([living]);
    await rm(living);
  });

  it("reports that the next up adopts a server that the state does not know", async () => {
    await rm(join(clone.root, ".pgroundwork", ".pulumi"), { recursive: true });
    const [finding, ...others] = await findings(clone);
    expect(others).toEqual([]);
    expect(finding).toMatchObject({
      kind: "server",
      action: null,
      advice: "The next `up` adopts it and sets new passwords.",
    });
    expect(finding?.found).toMatch(
      /^the state of stack "local" does not contain its server: running on port \d+ \(pid \d+\), \d+ MB, 1 database, in /,
    );
    await clone.succeed("up");
    expect(await clone.query("readonly", "select name from product where id = 1")).toEqual([{ name: "tea" }]);
  });

  it("reports that it cannot check memberships on a stopped server, and revokes them once it runs", async () => {
    await clone.query("superuser", "grant shop_owner to postgres");
    await clone.succeed("down");
    expect(await findings(clone)).toEqual([
      {
        kind: "server",
        unchecked: "not possible",
        found: expect.stringMatching(
          /^could not check whether a killed run left the superuser a member of a role: .*127\.0\.0\.1:\d+/,
        ),
        action: null,
        advice: "If the server is stopped, start it, then check again: npm run up && npm run pgw -- recover",
        done: false,
      },
    ]);
    const dry = await clone.pgw("recover", "--dry-run");
    expect([dry.code, dry.stdout]).toEqual([0, "found nothing to recover, and one thing was not checked\n"]);
    await clone.succeed("up");
    expect(await findings(clone)).toMatchObject([{ action: 'REVOKE "shop_owner" FROM "postgres"', done: true }]);
  });
});

describe("an up whose engine was killed", () => {
  let clone: Clone;

  beforeEach(async () => {
    clone = await makeShop({ ownPlugins: true });
    await moments.migrating.prepare(clone);
    const up = clone.start("up");
    const ended = once(up, "exit");
    await moments.migrating.reached(clone);
    await kill(clone, victims.engine);
    await ended;
    await clone.useHosts();
    return () => clone.remove();
  });

  it("leaves a lock, pending operations and plugins that recover cleans up", async () => {
    const kinds = (await findings(clone, "--dry-run")).map(({ kind }) => kind);
    expect(kinds).toContain("engine-lock");
    expect(kinds).toContain("pending-operation");
    expect(await findings(clone)).not.toContainEqual(
      expect.objectContaining({ action: expect.any(String), done: false }),
    );
    expect(await stillRunning(clone)).toEqual([]);
    expect(await findings(clone)).toEqual([]);
  });

  it("is recovered by the next `up --recover`", async () => {
    const refused = await clone.pgw("up");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("Clean up what it left, then try again: `npm run pgw -- recover`");
    const up = await clone.succeed("up", "--recover");
    expect(up.stderr).toContain("done  remove the lock");
    expect(await findings(clone)).toEqual([]);
  });

  it("is recovered by the next up after a confirmation on a terminal, and left alone after a refusal", async () => {
    const typed = (answer: string) =>
      clone.shell(`printf '%s\\n' ${answer} | script -qec "node_modules/.bin/node scripts/pgw.mjs up" /dev/null`);
    const declined = await typed("n");
    expect(declined.stdout).toContain("Recover and continue? [Y/n]");
    expect(declined.code).toBe(1);
    expect(await findings(clone, "--dry-run")).not.toEqual([]);
    const taken = await typed("y");
    expect(taken.code, taken.stdout).toBe(0);
    expect(await findings(clone)).toEqual([]);
  });
});
