import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isRealStack } from "../../../../infra/plan/real-data.ts";
import { declaredSettings } from "../../../../scripts/stack/declared-settings.ts";

describe("the settings of a stack, as its files say them", () => {
  let root: string;
  const write = (file: string, text: string) => writeFile(join(root, file), text);

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "declared-settings-"));
    await write("Pulumi.yaml", "name: pgroundwork\nconfig:\n  databases:\n    value: [trading]\n");
  });
  afterEach(() => rm(root, { recursive: true }));

  it("are the project's where the stack has none of its own", async () => {
    const settings = { protected: false, dataDirectory: undefined, databases: ["trading"], kind: "embedded" };
    expect(await declaredSettings(root, "local")).toEqual(settings);
  });

  it("are the stack's where it has, whichever way Pulumi wrote them", async () => {
    await write(
      "Pulumi.ci.yaml",
      `config:\n  pgroundwork:databases: '["shop","depot"]'\n  pgroundwork:dataDirectory: /srv/pg\n  pgroundwork:protected: "true"\n`,
    );
    const settings = { protected: true, dataDirectory: "/srv/pg", databases: ["shop", "depot"], kind: "embedded" };
    expect(await declaredSettings(root, "ci")).toEqual(settings);
  });

  it.each(["local", "ci", "staging", "production"])("protect stack %s as the program does", async (stack) => {
    expect((await declaredSettings(root, stack)).protected).toBe(isRealStack(stack));
  });

  it("do not protect a real stack that says so", async () => {
    await write("Pulumi.production.yaml", "config:\n  pgroundwork:protected: false\n");
    expect((await declaredSettings(root, "production")).protected).toBe(false);
  });

  it("protect where the setting is nonsense", async () => {
    await write("Pulumi.local.yaml", "config:\n  pgroundwork:protected: flase\n");
    expect((await declaredSettings(root, "local")).protected).toBe(true);
  });

  it("are not guessed where the file cannot be read", async () => {
    await write("Pulumi.local.yaml", "config:\n  a: b: c\n");
    await expect(declaredSettings(root, "local")).rejects.toThrow(
      `Could not tell the settings in ${join(root, "Pulumi.local.yaml")}: `,
    );
  });
});
