import { spawn } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { serverAccount } from "../../../../scripts/server/account.ts";
import { findPostmaster } from "../../../../scripts/server/postmaster.ts";
import type { Clone } from "../../clone.ts";
import { changesOf } from "./changes.ts";
import { revealedOutputs } from "./passwords.ts";
import { makeShop } from "./shop.ts";

describe("a server that was killed", () => {
  let clone: Clone;
  let data: string;

  const killServer = async () => {
    const postmaster = await findPostmaster(data);
    if (postmaster === undefined) throw new Error(`No server runs on ${data}.`);
    process.kill(postmaster.pid, "SIGKILL");
    // The process exists until its parent has collected its exit status.
    await expect.poll(() => findPostmaster(data), { timeout: 30_000 }).toBeUndefined();
    return postmaster.pid;
  };

  beforeAll(async () => {
    clone = await makeShop();
    await clone.succeed("up");
    data = (await revealedOutputs(clone)).server.dataDirectory;
  });
  afterAll(() => clone?.remove());

  it("appears in preview, and pending work is reported as unknown, not as none", async () => {
    await clone.query("app", "insert into product values (3, 'cocoa', 2)");
    await killServer();
    expect(await changesOf(clone, "preview")).toEqual([
      "update server-postgres: pid",
      "update server-ready: trigger",
      "update server-monitoring: pending unknown, server is down",
      "update shop-monitoring: pending unknown, server is down",
      "update shop-migrations: pending unknown, server is down",
      "update shop-seeds-reference: pending unknown, server is down",
      "update shop-seeds-dev: pending unknown, server is down",
    ]);
  });

  it("is stopped in status, and pending work is not known, with exit code 5", async () => {
    const { code, stdout, stderr } = await clone.pgw("status");
    expect([code, stderr]).toEqual([5, ""]);
    expect(stdout).toMatch(/^server .*: stopped: no server runs on its data$/m);
    expect(stdout).toContain("  migrations not known: the server is stopped\n  seeds      not known: ");
    expect(stdout).not.toContain("nothing pending");
  });

  it("fails a refresh with one message, and no resource is reported as deleted", async () => {
    const { code, stdout, stderr } = await clone.pgw("refresh");
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr.match(/^error: .*/gm)).toEqual([
      'error: The server of stack "local" is stopped, so it cannot be compared with the state.',
    ]);
  });

  it("fails a command that needs it with a hint", async () => {
    const { code, stderr } = await clone.pgw("migrate", "status");
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^error: Cannot connect to shop_migrator@127\.0\.0\.1:(\d+)\/shop: nothing listens on 127\.0\.0\.1:\1 \(connection refused\)\.\n {2}Start the server/,
    );
  });

  it("is started again with its data by up, which changes nothing else", async () => {
    expect(await changesOf(clone, "up")).toEqual(["update server-postgres: pid", "update server-ready: trigger"]);
    expect(await clone.query("readonly", "select name from product where id = 3")).toEqual([{ name: "cocoa" }]);
    expect(await changesOf(clone, "up")).toEqual([]);
  });

  it("is started again even if another process of the same account has its pid", async () => {
    await killServer();
    const account = await serverAccount(process.getuid?.());
    const other = spawn("sleep", ["300"], { stdio: "ignore", cwd: "/", ...(account ?? {}) });
    try {
      const path = join(data, "postmaster.pid");
      const [, ...rest] = (await readFile(path, "utf8")).split("\n");
      await writeFile(path, [String(other.pid), ...rest].join("\n"));
      expect(await changesOf(clone, "preview")).toContain("update server-postgres: pid");
      await clone.succeed("up");
      expect(await clone.query("readonly", "select name from product where id = 3")).toEqual([{ name: "cocoa" }]);
      expect(other.exitCode).toBeNull();
    } finally {
      other.kill();
    }
  });
});
