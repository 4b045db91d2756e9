import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findPostmaster } from "../../../../scripts/server/postmaster.ts";
import type { Clone, Finished } from "../../clone.ts";
import { passwordsOf, revealedOutputs } from "./passwords.ts";
import { makeShop, shopSettings } from "./shop.ts";

describe("generated secrets", () => {
  let clone: Clone;
  let secrets: string[];
  const printed: Finished[] = [];
  const processes = new Set<string>();

  /** Runs a command and checks the arguments of all processes meanwhile. */
  const watched = async (...args: string[]) => {
    let running = true;
    const run = clone.succeed(...args).finally(() => {
      running = false;
    });
    while (running) for (const line of (await clone.shell("ps -eo args")).stdout.split("\n")) processes.add(line);
    printed.push(await run);
  };

  beforeAll(async () => {
    // With processes of their own, whose arguments are examined.
    clone = await makeShop({ ownPlugins: true });
    const settings = { ...shopSettings, postgresql: { ...shopSettings.postgresql, log_statement: "all" } };
    await clone.configure(settings);
    await watched("up");
    secrets = await passwordsOf(clone);
    await clone.configure({ ...settings, passwordVersion: "2" });
    await watched("up");
    await watched("refresh");
    await watched("outputs", "--json");
    await watched("migrate", "status");
    secrets.push(
      ...(await passwordsOf(clone)),
      (await readFile(join(clone.root, ".pgroundwork/passphrase"), "utf8")).trim(),
    );
  });
  afterAll(() => clone?.remove());

  it("are all different", () => {
    expect(new Set(secrets).size).toBe(13);
  });

  it("are not in the state as plain text", async () => {
    const texts = await textsBelow(join(clone.root, ".pgroundwork", ".pulumi"));
    expect(texts.some((text) => text.includes("shop_app"))).toBe(true);
    expectNoneIn(texts, secrets);
  });

  it("are not printed", () => {
    expectNoneIn(
      printed.flatMap(({ stdout, stderr }) => [stdout, stderr]),
      secrets,
    );
  });

  it("are in no process's arguments while commands run", () => {
    expect([...processes].some((line) => line.includes("scripts/pgw.mjs up"))).toBe(true);
    expect(
      [...processes].some((line) => line.includes("pulumi-resource") || line.includes("infra/provider/main.ts")),
    ).toBe(true);
    expectNoneIn([...processes], secrets);
  });

  it("are not in the server's log, even if it logs every statement", async () => {
    const texts = await textsBelow((await revealedOutputs(clone)).server.logDirectory);
    expect(texts.some((text) => /ALTER ROLE/i.test(text))).toBe(true);
    expectNoneIn(texts, secrets);
  });

  it("are in no file of the data directory", async () => {
    const { dataDirectory } = (await revealedOutputs(clone)).server;
    expectNoneIn(await textsBelow(join(dataDirectory, "global")), secrets);
    expectNoneIn(await textsBelow(join(dataDirectory, "pg_wal")), secrets);
    expectNoneIn([await readFile(join(dataDirectory, "pgroundwork.conf"), "utf8")], secrets);
  });

  it.runIf(existsSync("/proc/self/environ"))(
    "are not in the server's environment, which has no variables of the caller either",
    async () => {
      const postmaster = await findPostmaster((await revealedOutputs(clone)).server.dataDirectory);
      const environment = await readFile(`/proc/${postmaster?.pid}/environ`, "utf8");
      expectNoneIn([environment], secrets);
      expect(environment).not.toMatch(/PULUMI|HOME=/);
    },
  );

  it("are removed from the message of a failed connection", async () => {
    const url = "postgresql://shop_app:not-the-password@127.0.0.1:1/shop";
    const { code, stdout, stderr } = await clone.shell(
      `DATABASE_URL=${url} node_modules/.bin/node scripts/pgw.mjs migrate status`,
    );
    expect(code).toBe(1);
    expect(stdout + stderr).toContain("Cannot connect to shop_app@127.0.0.1:1/shop");
    expect(stdout + stderr).not.toContain("not-the-password");
  });
});

function expectNoneIn(texts: readonly string[], secrets: readonly string[]): void {
  // Not `not.toContain`, because a failure would print the secret and megabytes around it.
  const found = secrets.filter((secret) => texts.some((text) => text.includes(secret)));
  expect(found.length).toBe(0);
}

/** Reads every file below a folder without decoding its bytes. */
async function textsBelow(folder: string): Promise<string[]> {
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  return Promise.all(files.map(({ parentPath, name }) => readFile(join(parentPath, name), "latin1")));
}
