import { readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Clone } from "../../clone.ts";
import { makeShop } from "./shop.ts";

const tea = "select name from product where id = 1";

describe("a stack with an unreadable state", () => {
  let clone: Clone;

  beforeEach(async () => {
    clone = await makeShop();
    await clone.succeed("up");
  });
  afterEach(() => clone?.remove());

  it("names the passphrase that does not match, and starts again with its data if it is lost", async () => {
    const passphrase = join(clone.root, ".pgroundwork", "passphrase");
    const before = await readFile(passphrase);
    await writeFile(passphrase, "another one");
    const refused = await clone.pgw("up");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("incorrect passphrase");
    expect(refused.stderr).toContain(`The passphrase in ${passphrase} does not match stack "local".`);
    expect((await clone.pgw("url")).stderr).toContain(`The passphrase in ${passphrase} does not match`);

    await writeFile(passphrase, before);
    expect((await clone.succeed("up")).stdout).toContain("no changes");

    await rm(passphrase);
    const lost = await clone.pgw("up");
    expect(lost.stderr).toContain(`The passphrase file ${passphrase} is missing`);
    const line = /^ {4}(mv .*)$/m.exec(lost.stderr)?.[1] ?? "";
    expect((await clone.shell(line)).code).toBe(0);
    await clone.succeed("up");
    expect(await clone.query("readonly", tea)).toEqual([{ name: "tea" }]);
  });

  it("is not said to be damaged if only a file next to it is, which recover deletes", async () => {
    const folder = join(clone.root, ".pgroundwork", ".pulumi");
    for (const file of ["stacks/pgroundwork/local.json.attrs", "meta.yaml.attrs"]) {
      await writeFile(join(folder, file), '{"user.cache_control":"","user.con');
      const refused = await clone.pgw("up");
      expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("npm run pgw -- recover")]);
      expect(refused.stderr).not.toContain("state is damaged");
      const found = await clone.pgw("recover", "--dry-run");
      expect([found.code, found.stderr]).toEqual([4, expect.stringContaining(file)]);
      expect((await clone.succeed("recover")).stderr).toContain("done  delete it: the state is complete without it\n");
      expect((await clone.succeed("up")).stdout).toContain("no changes");
    }
  });

  it("names the damaged file and the backup that replaces it", async () => {
    const state = join(clone.root, ".pgroundwork", ".pulumi", "stacks", "pgroundwork", "local.json");
    await truncate(state, 1_000);
    const refused = await clone.pgw("up");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(`The stack's state is damaged: ${state}. Restore ${state}.bak`);

    const line = /^ {4}(cp .*)$/m.exec(refused.stderr)?.[1] ?? "";
    expect((await clone.shell(line)).code).toBe(0);
    await clone.succeed("up");
    expect(await clone.query("readonly", tea)).toEqual([{ name: "tea" }]);
    expect((await clone.succeed("up")).stdout).toContain("no changes");
  });
});
