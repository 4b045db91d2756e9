import { readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Clone } from "../../clone.ts";
import { makeShop } from "./shop.ts";

const tea = "select name from product where id = 1";

describe("a stack whose state cannot be read", () => {
  let clone: Clone;

  beforeEach(async () => {
    clone = await makeShop();
    await clone.succeed("up");
  });
  afterEach(() => clone?.remove());

  it("says where the passphrase belongs, and starts anew over the data where it is lost", async () => {
    const passphrase = join(clone.root, ".pgroundwork", "passphrase");
    const before = await readFile(passphrase);
    await writeFile(passphrase, "another one");
    const refused = await clone.pgw("up");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("incorrect passphrase");
    expect(refused.stderr).toContain(`Put back ${passphrase}, or set PULUMI_CONFIG_PASSPHRASE.`);
    expect((await clone.pgw("url")).stderr).toContain(`Put back ${passphrase}`);

    await writeFile(passphrase, before);
    expect((await clone.succeed("up")).stdout).toContain("no changes");

    await rm(passphrase);
    await rm(join(clone.root, ".pgroundwork", ".pulumi"), { recursive: true });
    await clone.succeed("up");
    expect(await clone.query("readonly", tea)).toEqual([{ name: "tea" }]);
  });

  it("names the file that is damaged and the one to put back", async () => {
    const state = join(clone.root, ".pgroundwork", ".pulumi", "stacks", "pgroundwork", "local.json");
    await truncate(state, 1_000);
    const refused = await clone.pgw("up");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(`The stack's state is damaged: ${state}. Put back ${state}.bak`);

    await writeFile(state, await readFile(`${state}.bak`));
    await clone.succeed("up");
    expect(await clone.query("readonly", tea)).toEqual([{ name: "tea" }]);
    expect((await clone.succeed("up")).stdout).toContain("no changes");
  });
});
