import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { databasesOn } from "../../../../scripts/stack/erase/losses.ts";
import { codeBlocksIn } from "../../../support/code-blocks.ts";
import { type Clone, makeClone } from "../../clone.ts";
import { changesOf } from "./changes.ts";
import { shopSettings } from "./shop.ts";

/** Returns the shell commands in a section of the README, one string for each code block. */
async function shownCommands(clone: Clone, heading: string): Promise<string[]> {
  const readme = await readFile(join(clone.root, "README.md"), "utf8");
  const section = readme.split(/^## /m).find((text) => text.startsWith(heading)) ?? "";
  return codeBlocksIn(section, "README.md").map(({ text }) => text);
}

describe("a database of one's own that replaces the examples, as in the README", () => {
  let clone: Clone;
  let examples: string[];
  const { memory, maxConnections, postgresql } = shopSettings;

  beforeAll(async () => {
    clone = await makeClone({ git: true });
    await clone.configure({ memory, maxConnections, postgresql });
    examples = await exampleDatabases(clone);
  });
  afterAll(() => clone?.remove());

  it("comes up beside the examples", async () => {
    const [make = ""] = await shownCommands(clone, "A database of your own");
    expect(make).toContain("database new shop");
    const { code, stdout, stderr } = await clone.shell(make);
    expect(code, stderr).toBe(0);
    expect(stdout).toContain("Pulumi.yaml now has it in its databases.\n");
    expect(stdout).toContain("database     shop\n  migrations 0 applied\n");
    await commitAll(clone);
  });

  it("is the only one after the examples were removed as in the README", async () => {
    const [, remove = ""] = await shownCommands(clone, "A database of your own");
    expect(remove).toContain("database remove trading");
    for (const example of examples) {
      const { code, stdout, stderr } = await clone.shell(remove.replace("trading", example));
      expect(code, stderr).toBe(0);
      expect(stdout).toContain(`removed ${example}: migrations/${example}, test/embedded/migrations/${example}`);
      expect(existsSync(join(clone.root, "migrations", example))).toBe(false);
    }
    expect((await clone.shell("grep -A1 databases: Pulumi.yaml")).stdout).toContain("value: [shop]\n");
    expect(await exampleDatabases(clone)).toEqual(["shop"]);
  });

  it("comes up, and the removed examples stay on the server", async () => {
    const { stdout } = await clone.succeed("up");
    expect(stdout).toContain("database     shop\n");
    expect(stdout).not.toContain("database     trading\n");
    expect(await changesOf(clone, "up")).toEqual([]);
    expect(await databasesOn({ ...(await clone.login("superuser", "shop")), database: "postgres" })).toContain(
      "trading",
    );
  });

  it("passes the code checks without the examples", async () => {
    const { scripts } = JSON.parse(await readFile(join(clone.root, "package.json"), "utf8"));
    const checks = [
      "node node_modules/typescript-7/bin/tsc",
      "biome ci --error-on-warnings .",
      "depcruise infra scripts test migrations",
    ];
    for (const check of checks) expect(scripts.check).toContain(check);
    // Those of single files need only the new files. What was removed can only break imports.
    const [types, style, imports] = checks;
    const script = `PATH=node_modules/.bin:$PATH; ${types} && ${style}/migrations && ${imports}`;
    const { code, stdout, stderr } = await clone.shell(script);
    expect(code, stdout + stderr).toBe(0);
  });

  it("is not removed if files would be lost", async () => {
    await clone.write("migrations/shop/current.sql", "-- not committed yet\n");
    const changed = await clone.pgw("database", "remove", "shop");
    expect(changed.code).toBe(3);
    expect(changed.stderr).toContain(
      "migrations/shop was not removed: error: the following file has local modifications:",
    );
    expect(changed.stderr).toContain("Commit or restore the changes there, then run again");
    expect(await readFile(join(clone.root, "migrations/shop/current.sql"), "utf8")).toBe("-- not committed yet\n");
    await clone.shell("git checkout --quiet migrations/shop");
    await clone.write("migrations/shop/notes.txt", "of one's own");
    const { stdout } = await clone.succeed("database", "remove", "shop");
    expect(stdout).toContain("  migrations/shop is kept: it contains files that are not in Git\n");
    expect(await readFile(join(clone.root, "migrations/shop/notes.txt"), "utf8")).toBe("of one's own");
    await rm(join(clone.root, "migrations/shop"), { recursive: true });
    const unknown = await clone.pgw("database", "remove", "shop");
    expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('The database "shop" does not exist')]);
    // A command that is killed between the folder and the settings leaves this; the next one completes it.
    await clone.configure({ databases: ["shop"] });
    const completed = await clone.succeed("database", "remove", "shop");
    expect(completed.stdout).toContain("removed shop: its name in Pulumi.local.yaml\n");
  });
});

async function exampleDatabases(clone: Clone): Promise<string[]> {
  const { stdout } = await clone.shell("ls -d migrations/*/ | xargs -n 1 basename");
  return stdout.trim().split("\n");
}

async function commitAll(clone: Clone): Promise<void> {
  const { code, stderr } = await clone.shell(
    "git add --all && git -c user.name=test -c user.email=test@example.com commit --quiet --message own",
  );
  expect(code, stderr).toBe(0);
}
