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
    // Until its parent has taken note.
    await expect.poll(() => findPostmaster(data), { timeout: 30_000 }).toBeUndefined();
    return postmaster.pid;
  };

  beforeAll(async () => {
    clone = await makeShop();
    await clone.succeed("up");
    data = (await revealedOutputs(clone)).server.dataDirectory;
  });
  afterAll(() => clone?.remove());

  it("shows in preview, and what is pending is not known rather than none", async () => {
    await clone.query("app", "insert into product values (3, 'cocoa', 2)");
    await killServer();
    expect(await changesOf(clone, "preview")).toEqual([
      "update server-postgres: pid",
      "update server-ready: trigger",
      "update shop-migrations: pending unknown, server is down",
      "update shop-seeds-reference: pending unknown, server is down",
      "update shop-seeds-dev: pending unknown, server is down",
    ]);
  });

  it("fails a refresh with one message, and no resource on it is taken for gone", async () => {
    const { code, stdout, stderr } = await clone.pgw("refresh");
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr.match(/^error: .*/gm)).toEqual([
      expect.stringMatching(/^error: \S+: Cannot connect to postgres@127\.0\.0\.1:\d+\/postgres: nothing listens on /),
      'error: refresh of stack "local" failed.',
    ]);
  });

  it("fails what needs it with the way out", async () => {
    const { code, stderr } = await clone.pgw("migrate", "status");
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^error: Cannot connect to shop_migrator@127\.0\.0\.1:(\d+)\/shop: nothing listens on 127\.0\.0\.1:\1 \(connection refused\)\.\n {2}Start the server/,
    );
  });

  it("comes back with its data by up, which changes nothing else", async () => {
    expect(await changesOf(clone, "up")).toEqual(["update server-postgres: pid", "update server-ready: trigger"]);
    expect(await clone.query("readonly", "select name from product where id = 3")).toEqual([{ name: "cocoa" }]);
    expect(await changesOf(clone, "up")).toEqual([]);
  });

  it("comes back where its pid belongs to another process of the same account by now", async () => {
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
