import { readdir, readFile, truncate, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findPostmaster } from "../../../../scripts/server/postmaster.ts";
import type { Clone } from "../../clone.ts";
import { passwordsOf, revealedOutputs } from "./passwords.ts";
import { commit, makeShop, shopDrafts, shopSettings } from "./shop.ts";

describe("generated secrets after a failure", () => {
  let clone: Clone;
  let secrets: string[];
  let data: string;
  let state: string;

  /** Runs a command that fails, with --verbose, and returns all of its output. */
  const failure = async (...args: string[]) => {
    const { code, stdout, stderr } = await clone.pgw(...args, "--verbose");
    expect(code, stdout + stderr).not.toBe(0);
    expect(stderr).toContain("error: ");
    return stdout + stderr;
  };
  const expectNoSecretIn = (text: string) => {
    // Not `not.toContain`, because a failure would print the secret.
    expect(secrets.filter((secret) => text.includes(secret)).length).toBe(0);
  };

  beforeAll(async () => {
    clone = await makeShop();
    clone.env.PGW_DEBUG = "1";
    await clone.succeed("up");
    const passphrase = (await readFile(join(clone.root, ".pgroundwork", "passphrase"), "utf8")).trim();
    secrets = [...(await passwordsOf(clone)), passphrase];
    expect(new Set(secrets).size).toBe(7);
    data = (await revealedOutputs(clone)).server.dataDirectory;
    state = join(clone.root, ".pgroundwork", ".pulumi", "stacks", "pgroundwork", "local.json");
  });
  afterAll(() => clone?.remove());

  it("are not in the message of a refused login", async () => {
    await clone.query("superuser", "alter role shop_migrator password 'another-one'");
    expectNoSecretIn(await failure("migrate", "status"));
    expectNoSecretIn(await failure("seed", "apply"));
    await clone.query("superuser", "drop owned by shop_readonly; drop role shop_readonly");
    expectNoSecretIn((await clone.pgw("preview", "--verbose")).stderr);
    await clone.succeed("refresh");
    await clone.succeed("up");
    secrets.push(...(await passwordsOf(clone)));
  });

  it("are not in the message of a failed migration, even if its SQL reads passwords", async () => {
    const body = "select rolpassword from pg_authid;\nselect 1 / 0;";
    await commit(clone, [...shopDrafts, { name: "wrong", body }]);
    expectNoSecretIn(await failure("up"));
    expectNoSecretIn(await failure("migrate", "up"));
    await clone.shell("rm migrations/shop/committed/000003-wrong.sql");
  });

  it("are not in the messages about wrong settings, a wrong passphrase or a damaged state", async () => {
    await clone.configure({ ...shopSettings, port: 0, memory: "lots" });
    expectNoSecretIn(await failure("up"));
    await clone.configure(shopSettings);

    const passphrase = join(clone.root, ".pgroundwork", "passphrase");
    const [text, checkpoint] = [await readFile(passphrase), await readFile(state)];
    await writeFile(passphrase, "a wrong one");
    expectNoSecretIn(await failure("up"));
    await writeFile(passphrase, text);
    await truncate(state, 2_000);
    expectNoSecretIn(await failure("up"));
    await writeFile(state, checkpoint);
  });

  it("are not in the message of a server that does not start, nor in its logs", async () => {
    await clone.succeed("down");
    const { port } = JSON.parse((await clone.succeed("outputs", "--json")).stdout).server as { port: number };
    const other = await listening(port);
    expectNoSecretIn(await failure("up"));
    await new Promise((resolve) => other.close(resolve));
    await clone.succeed("up");
    expect((await findPostmaster(data))?.port).toBe(port);
    const logs = (await revealedOutputs(clone)).server.logDirectory;
    for (const name of await readdir(logs)) expectNoSecretIn(await readFile(join(logs, name), "latin1"));
  });

  it("are in no file of the project except the encrypted state and the passphrase file", async () => {
    const files = (await readdir(clone.root, { recursive: true, withFileTypes: true })).filter(
      (entry) => entry.isFile() && !entry.parentPath.includes("node_modules"),
    );
    const own = join(clone.root, ".pgroundwork", "passphrase");
    for (const { parentPath, name } of files) {
      const path = join(parentPath, name);
      if (path !== own) expectNoSecretIn(await readFile(path, "latin1"));
    }
  });
});

async function listening(port: number): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(port, "127.0.0.1", resolve));
  return server;
}
