import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { declareDatabase, undeclareDatabase } from "../../../../scripts/stack/databases-setting.ts";

const project = `name: pgroundwork
# The local stack.
config:
  databases:
    value: [trading] # the examples
  seeds:
    value: [reference, dev]
`;

describe("a database that is declared", () => {
  let root: string;
  const write = (file: string, text: string) => writeFile(join(root, file), text);
  const read = (file: string) => readFile(join(root, file), "utf8");

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "pgw-declare-"));
    await write("Pulumi.yaml", project);
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  it("goes to the end of the default's list, and everything else stays as it is written", async () => {
    expect(await declareDatabase(root, "shop")).toEqual({ file: "Pulumi.yaml", added: true });
    expect(await read("Pulumi.yaml")).toBe(project.replace("[trading]", "[trading, shop]"));
    expect(await readdir(root)).toEqual(["Pulumi.yaml"]);
  });

  it("goes into the clone's own list where it has one, since that one counts", async () => {
    await write("Pulumi.local.yaml", "config:\n  pgroundwork:databases:\n    - trading\n  pgroundwork:port: 5433\n");
    expect(await declareDatabase(root, "shop")).toEqual({ file: "Pulumi.local.yaml", added: true });
    expect(await read("Pulumi.local.yaml")).toBe(
      "config:\n  pgroundwork:databases:\n    - trading\n    - shop\n  pgroundwork:port: 5433\n",
    );
    expect(await read("Pulumi.yaml")).toBe(project);
  });

  it("stays where it is when it is there already", async () => {
    expect(await declareDatabase(root, "trading")).toEqual({ file: "Pulumi.yaml", added: false });
    expect(await read("Pulumi.yaml")).toBe(project);
  });

  it("goes nowhere where no file has a list", async () => {
    await write("Pulumi.yaml", "name: pgroundwork\n");
    await write("Pulumi.local.yaml", 'config:\n  pgroundwork:databases: "[\\"trading\\"]"\n');
    expect(await declareDatabase(root, "shop")).toBeUndefined();
    await write("Pulumi.local.yaml", "config: [\n");
    expect(await declareDatabase(root, "shop")).toBeUndefined();
    expect(await read("Pulumi.local.yaml")).toBe("config: [\n");
  });
});

describe("a database that is taken out", () => {
  let root: string;
  const write = (file: string, text: string) => writeFile(join(root, file), text);
  const read = (file: string) => readFile(join(root, file), "utf8");

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "pgw-undeclare-"));
    await write("Pulumi.yaml", project.replace("[trading]", "[trading, shop]"));
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  it("leaves the lists of all stacks, and everything else stays as it is written", async () => {
    await write("Pulumi.local.yaml", "config:\n  pgroundwork:databases: [shop] # mine\n");
    await write("Pulumi.staging.yaml", "config:\n  pgroundwork:databases:\n    - trading\n    - shop\n");
    expect(await undeclareDatabase(root, "trading")).toEqual(["Pulumi.staging.yaml", "Pulumi.yaml"]);
    expect(await read("Pulumi.yaml")).toBe(project.replace("[trading]", "[shop]"));
    expect(await read("Pulumi.staging.yaml")).toBe("config:\n  pgroundwork:databases:\n    - shop\n");
    expect(await read("Pulumi.local.yaml")).toBe("config:\n  pgroundwork:databases: [shop] # mine\n");
    expect((await readdir(root)).sort()).toEqual(["Pulumi.local.yaml", "Pulumi.staging.yaml", "Pulumi.yaml"]);
  });

  it("changes no file that does not have it, or cannot be read as a list", async () => {
    await write("Pulumi.local.yaml", "config: [\n");
    expect(await undeclareDatabase(root, "kyb")).toEqual([]);
    expect(await read("Pulumi.local.yaml")).toBe("config: [\n");
  });
});
