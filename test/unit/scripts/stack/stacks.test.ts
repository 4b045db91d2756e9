import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { dropUnusedSalt } from "../../../../scripts/stack/encryption-salt.ts";
import { declaredStacks, requireDeclared, saysNoSuchStack } from "../../../../scripts/stack/stacks.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "pgw-stacks-"));
  for (const file of ["Pulumi.yaml", "Pulumi.dev.yaml", "Pulumi.eu-west.yaml", "Pulumi.dev.yml", "notes.txt"]) {
    await writeFile(join(root, file), "{}\n");
  }
});
afterEach(() => rm(root, { recursive: true, force: true }));

describe("the stacks of a project", () => {
  it("are the local one and those with a settings file", async () => {
    expect(await declaredStacks(root)).toEqual(["dev", "eu-west", "local"]);
    await writeFile(join(root, "Pulumi.local.yaml"), "{}\n");
    expect(await declaredStacks(root)).toEqual(["dev", "eu-west", "local"]);
  });

  it("are not created by a typing error", async () => {
    await requireDeclared(root, "dev");
    await requireDeclared(root, "local");
    await expect(requireDeclared(root, "dve")).rejects.toMatchObject({
      message: 'The stack "dve" does not exist. Existing stacks: dev, eu-west, local.',
      hint: "To declare it, add the settings file Pulumi.dve.yaml (it may be empty: {}).",
      exitCode: 2,
    });
  });

  it("are missing only if the engine says so", () => {
    expect(saysNoSuchStack("error: no stack named 'local' found")).toBe(true);
    expect(saysNoSuchStack("error: the stack is currently locked by 1 lock(s)")).toBe(false);
  });
});

describe("the salt in a stack's settings file", () => {
  const file = () => join(root, "Pulumi.local.yaml");
  const textOf = () => readFile(file(), "utf8");

  it("is removed if nothing is encrypted with it, and the file if it then is empty", async () => {
    await writeFile(file(), "encryptionsalt: v1:abc=:v1:def=\n");
    expect(await dropUnusedSalt(root, "local")).toBe(true);
    await expect(textOf()).rejects.toThrow("ENOENT");
    await writeFile(file(), "encryptionsalt: v1:abc=\nconfig:\n  pgroundwork:port: 5433\n");
    expect(await dropUnusedSalt(root, "local")).toBe(true);
    expect(await textOf()).toBe("config:\n  pgroundwork:port: 5433\n");
  });

  it("stays if a setting needs it, and nothing happens without one", async () => {
    const needed = "encryptionsalt: v1:abc=\nconfig:\n  pgroundwork:token:\n    secure: v1:xyz=\n";
    await writeFile(file(), needed);
    expect(await dropUnusedSalt(root, "local")).toBe(false);
    expect(await textOf()).toBe(needed);
    await writeFile(file(), 'encryptionsalt: v1:abc=\nconfig: {"pgroundwork:token": {"secure": "v1:xyz="}}\n');
    expect(await dropUnusedSalt(root, "local")).toBe(false);
    expect(await dropUnusedSalt(root, "dev")).toBe(false);
    expect(await dropUnusedSalt(root, "absent")).toBe(false);
  });
});
