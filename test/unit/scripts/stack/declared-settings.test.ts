import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isRealStack } from "../../../../scripts/model/real-data.ts";
import { declaredSettings } from "../../../../scripts/stack/declared-settings.ts";

describe("the declared settings of a stack", () => {
  let root: string;
  const write = (file: string, text: string) => writeFile(join(root, file), text);

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "declared-settings-"));
    await write("Pulumi.yaml", "name: pgroundwork\nconfig:\n  databases:\n    value: [trading]\n");
  });
  afterEach(() => rm(root, { recursive: true }));

  it("are the project's if the stack has none of its own", async () => {
    const settings = {
      protected: false,
      dataDirectory: undefined,
      databases: ["trading"],
      kind: "embedded",
      url: undefined,
      plansDumps: false,
    };
    expect(await declaredSettings(root, "local")).toEqual(settings);
  });

  it("are the stack's own in any notation that Pulumi writes", async () => {
    await write(
      "Pulumi.ci.yaml",
      `config:\n  pgroundwork:databases: '["shop","depot"]'\n  pgroundwork:dataDirectory: /srv/pg\n  pgroundwork:protected: "true"\n`,
    );
    const settings = { protected: true, dataDirectory: "/srv/pg", databases: ["shop", "depot"], kind: "embedded" };
    const plansDumps = false;
    expect(await declaredSettings(root, "ci")).toEqual({ ...settings, plansDumps });
  });

  it.each(["local", "ci", "staging", "production"])("protect stack %s if the program does", async (stack) => {
    expect((await declaredSettings(root, stack)).protected).toBe(isRealStack(stack));
  });

  it("do not protect a stack with real data if it is set to unprotected", async () => {
    await write("Pulumi.production.yaml", "config:\n  pgroundwork:protected: false\n");
    expect((await declaredSettings(root, "production")).protected).toBe(false);
  });

  it.each<[string, object | undefined]>([
    ["true", undefined],
    ["{ full: '0 2 * * *' }", undefined],
    ["{ drill: false }", undefined],
    ["{ drill: true }", { maxAgeSeconds: 62 * 86_400, required: false }],
    [`'{"drill":{"maxAge":"10d","required":"true"}}'`, { maxAgeSeconds: 864_000, required: true }],
    ["{ drill: { schedule: '0 3 * * *' } }", { maxAgeSeconds: 2 * 86_400, required: false }],
    ["{ drill: { schedule: monthly, maxAge: 3, required: true } }", { maxAgeSeconds: 62 * 86_400, required: true }],
  ])("know the planned drills of backups: %s", async (backups, drill) => {
    await write("Pulumi.ci.yaml", `config:\n  pgroundwork:backups: ${backups}\n`);
    expect((await declaredSettings(root, "ci")).drill).toEqual(drill);
  });

  it.each<[string, boolean]>([
    ["true", false],
    ["{ dumps: false }", false],
    ["{ dumps: true }", true],
    [`'{"dumps":{"schedule":"0 6 * * *"}}'`, true],
  ])("know if dumps are planned: %s", async (backups, plansDumps) => {
    await write("Pulumi.ci.yaml", `config:\n  pgroundwork:backups: ${backups}\n`);
    expect((await declaredSettings(root, "ci")).plansDumps).toBe(plansDumps);
  });

  it("protect the stack if the value is invalid", async () => {
    await write("Pulumi.local.yaml", "config:\n  pgroundwork:protected: flase\n");
    expect((await declaredSettings(root, "local")).protected).toBe(true);
  });

  it("are an error if the file cannot be read", async () => {
    await write("Pulumi.local.yaml", "config:\n  a: b: c\n");
    await expect(declaredSettings(root, "local")).rejects.toThrow(
      `Cannot read the settings in ${join(root, "Pulumi.local.yaml")}: `,
    );
  });
});
