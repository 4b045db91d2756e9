import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { declareDatabase, redeclareDatabase, undeclareDatabases } from "../../../../scripts/stack/databases-setting.ts";

const project = `name: pgroundwork
# The local stack.
config:
  databases:
    value: [trading] # the examples
  seeds:
    value: [reference, dev]
`;

describe("a declared database", () => {
  let root: string;
  const write = (file: string, text: string) => writeFile(join(root, file), text);
  const read = (file: string) => readFile(join(root, file), "utf8");

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "pgw-declare-"));
    await write("Pulumi.yaml", project);
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  it("is added to the end of the shared list, and the rest of the file does not change", async () => {
    expect(await declareDatabase(root, "shop")).toEqual({ files: ["Pulumi.yaml"], changed: ["Pulumi.yaml"] });
    expect(await read("Pulumi.yaml")).toBe(project.replace("[trading]", "[trading, shop]"));
    expect(await readdir(root)).toEqual(["Pulumi.yaml"]);
  });

  it("is added to the shared list, and to the list in the file that Git ignores", async () => {
    await write("Pulumi.local.yaml", "config:\n  pgroundwork:databases:\n    - trading\n  pgroundwork:port: 5433\n");
    await write("Pulumi.dev.yaml", "config:\n  pgroundwork:databases: [trading]\n");
    const both = ["Pulumi.local.yaml", "Pulumi.yaml"];
    expect(await declareDatabase(root, "shop")).toEqual({ files: both, changed: both });
    expect(await read("Pulumi.local.yaml")).toBe(
      "config:\n  pgroundwork:databases:\n    - trading\n    - shop\n  pgroundwork:port: 5433\n",
    );
    expect(await read("Pulumi.yaml")).toBe(project.replace("[trading]", "[trading, shop]"));
    expect(await read("Pulumi.dev.yaml")).toBe("config:\n  pgroundwork:databases: [trading]\n");
    expect(await declareDatabase(root, "shop")).toEqual({ files: both, changed: [] });
  });

  it("is not added again", async () => {
    expect(await declareDatabase(root, "trading")).toEqual({ files: ["Pulumi.yaml"], changed: [] });
    expect(await read("Pulumi.yaml")).toBe(project);
  });

  it.each([
    ["config:\n  databases:\n    default: [trading]\n", "config:\n  databases:\n    default: [trading, shop]\n"],
    ["config:\n  databases: [trading]\n", "config:\n  databases: [trading, shop]\n"],
    ["config:\n  pgroundwork:databases: [trading]\n", "config:\n  pgroundwork:databases: [trading, shop]\n"],
    ["name: x\n", "name: x\nconfig:\n  databases:\n    value: [shop]\n"],
    ["config:\n  port: 1\n", "config:\n  port: 1\n  databases:\n    value: [shop]\n"],
  ])("is added to the shared list in any notation: %j", async (before, after) => {
    await write("Pulumi.yaml", before);
    await declareDatabase(root, "shop");
    expect(await read("Pulumi.yaml")).toBe(after);
  });

  it("is added to a list that `pulumi config set` wrote as JSON", async () => {
    await write("Pulumi.local.yaml", `config:\n  pgroundwork:databases: '["trading"]'\n`);
    await declareDatabase(root, "shop");
    expect(await read("Pulumi.local.yaml")).toBe(`config:\n  pgroundwork:databases: '["trading","shop"]'\n`);
  });

  it("is added nowhere if a settings file is not YAML", async () => {
    await write("Pulumi.local.yaml", "config: [\n");
    await expect(declareDatabase(root, "shop")).rejects.toThrow("Pulumi.local.yaml is not valid YAML");
    expect(await read("Pulumi.yaml")).toBe(project);
  });
});

describe("a removed database", () => {
  let root: string;
  const write = (file: string, text: string) => writeFile(join(root, file), text);
  const read = (file: string) => readFile(join(root, file), "utf8");

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "pgw-undeclare-"));
    await write("Pulumi.yaml", project.replace("[trading]", "[trading, shop]"));
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  const remove = (name: string, sets: string[] = ["reference", "dev"], others: Record<string, string[]> = {}) =>
    undeclareDatabases(
      root,
      { [name]: sets },
      { trading: ["reference", "dev"], shop: ["reference", "dev"], ...others },
    );

  it("disappears from the lists of all stacks, and the rest of the files does not change", async () => {
    await write("Pulumi.local.yaml", "config:\n  pgroundwork:databases: [shop] # mine\n");
    await write("Pulumi.staging.yaml", "config:\n  pgroundwork:databases:\n    - trading\n    - shop\n");
    expect((await remove("trading")).changed).toEqual(["Pulumi.staging.yaml", "Pulumi.yaml"]);
    expect(await read("Pulumi.yaml")).toBe(project.replace("[trading]", "[shop]"));
    expect(await read("Pulumi.staging.yaml")).toBe("config:\n  pgroundwork:databases:\n    - shop\n");
    expect(await read("Pulumi.local.yaml")).toBe("config:\n  pgroundwork:databases: [shop] # mine\n");
    expect((await readdir(root)).sort()).toEqual(["Pulumi.local.yaml", "Pulumi.staging.yaml", "Pulumi.yaml"]);
  });

  it("leaves no empty list behind, so that the stack has the databases of Pulumi.yaml", async () => {
    await write("Pulumi.dev.yaml", "config:\n  pgroundwork:databases: [trading]\n  pgroundwork:server: docker\n");
    await write("Pulumi.only.yaml", "config:\n  pgroundwork:databases: [trading]\n");
    const { notes } = await remove("trading");
    expect(await read("Pulumi.dev.yaml")).toBe("config:\n  pgroundwork:server: docker\n");
    expect(await read("Pulumi.only.yaml")).toBe("{}\n");
    expect(notes).toContain(
      "Pulumi.dev.yaml has no list of databases any more. Its stack has the databases of Pulumi.yaml (shop).",
    );
    const last = await remove("shop");
    expect(await read("Pulumi.yaml")).not.toContain("databases");
    expect(last.notes).toEqual([
      "Pulumi.yaml lists no databases any more. To add one: `npm run pgw -- database new NAME`",
      "Pulumi.yaml loses the seed sets that no other database has: reference, dev",
    ]);
  });

  it("leaves no seed set behind that no database of the stack has", async () => {
    await write(
      "Pulumi.demo.yaml",
      "config:\n  pgroundwork:databases: [trading, shop]\n  pgroundwork:seeds: [reference, demo] # both\n",
    );
    const { notes } = await remove("trading", ["reference", "dev", "demo"]);
    expect(notes).toContain("Pulumi.demo.yaml loses the seed sets that no other database has: demo");
    expect(await read("Pulumi.demo.yaml")).toBe(
      "config:\n  pgroundwork:databases: [shop]\n  pgroundwork:seeds: [reference] # both\n",
    );
    expect(await read("Pulumi.yaml")).toContain("value: [reference, dev]");
    await remove("shop", ["reference", "dev"], { plain: [] });
    expect(await read("Pulumi.demo.yaml")).toBe("config:\n  pgroundwork:seeds: [] # both\n");
    expect(await read("Pulumi.yaml")).toContain("value: []");
  });

  it("leaves shared seed sets that a stack without a list of its own needs", async () => {
    await write("Pulumi.dev.yaml", "config:\n  pgroundwork:databases: [pend]\n");
    await undeclareDatabases(root, { trading: ["reference", "dev"] }, { shop: [], pend: ["dev"] });
    expect(await read("Pulumi.yaml")).toContain("value: [dev]");
  });

  it("changes no file that does not list it, and none at all if one is not YAML", async () => {
    expect(await undeclareDatabases(root, { kyb: [] }, {})).toEqual({ changed: [], notes: [] });
    await write("Pulumi.local.yaml", "config: [\n");
    await expect(remove("trading")).rejects.toThrow("Pulumi.local.yaml is not valid YAML");
    expect(await read("Pulumi.yaml")).toContain("[trading, shop]");
  });
});

describe("a renamed database", () => {
  it("keeps its position in the lists of all stacks", async () => {
    const root = await mkdtemp(join(tmpdir(), "pgw-redeclare-"));
    await writeFile(join(root, "Pulumi.yaml"), project.replace("[trading]", "[trading, shop]"));
    await writeFile(
      join(root, "Pulumi.dev.yaml"),
      "config:\n  pgroundwork:databases:\n    - trading # the first\n    - kyb\n",
    );
    await writeFile(join(root, "Pulumi.x.yaml"), "config:\n  pgroundwork:databases: [kyb]\n");
    expect(await redeclareDatabase(root, "trading", "market")).toEqual(["Pulumi.dev.yaml", "Pulumi.yaml"]);
    expect(await readFile(join(root, "Pulumi.yaml"), "utf8")).toBe(project.replace("[trading]", "[market, shop]"));
    expect(await readFile(join(root, "Pulumi.dev.yaml"), "utf8")).toContain("- kyb");
    expect(await readFile(join(root, "Pulumi.dev.yaml"), "utf8")).toContain("- market");
    await rm(root, { recursive: true });
  });
});
