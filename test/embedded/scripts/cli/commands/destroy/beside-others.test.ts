import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Clone } from "../../../../clone.ts";
import { changesOf } from "../../../../infra/program/changes.ts";
import { makeShop } from "../../../../infra/program/shop.ts";

const seeded = [{ name: "tea" }, { name: "coffee" }];
const products = "select name from product order by id";

describe("pgw destroy --erase of a stack next to others", () => {
  let clone: Clone;
  const ci = (args: string) =>
    clone.shell(`PULUMI_CONFIG_PASSPHRASE=ci node_modules/.bin/node scripts/pgw.mjs ${args} --stack ci`);

  beforeAll(async () => {
    clone = await makeShop();
    await clone.write("Pulumi.ci.yaml", `config:\n  pgroundwork:databases: [shop]\n  pgroundwork:seeds: [reference]\n`);
    await clone.succeed("up");
    const up = await ci("up");
    expect(up.code, up.stderr).toBe(0);
  });
  afterAll(async () => {
    await ci("down");
    await clone?.remove();
  });

  it("refuses the name of another stack", async () => {
    const { code, stderr } = await clone.pgw("destroy", "--erase", "stack:ci", "--yes");
    expect(code).toBe(2);
    expect(stderr).toContain('error: --erase names the stack "ci", but the command works on the stack "local".');
  });

  it("leaves the other stacks of the project directory alone", async () => {
    const erased = await ci("destroy --erase ci --yes");
    expect(erased.code, erased.stderr).toBe(0);
    expect(existsSync(join(clone.root, "Pulumi.ci.yaml"))).toBe(true);
    expect(await clone.query("readonly", products)).toEqual(seeded);
    expect(await changesOf(clone, "up")).toEqual([]);
    const states = await readdir(join(clone.root, ".pgroundwork", ".pulumi", "stacks", "pgroundwork"));
    expect(states.filter((name) => name.endsWith(".json"))).toEqual(["local.json"]);
  });

  it("refuses a protected stack, as does destroy", async () => {
    const settings =
      "config:\n  pgroundwork:databases: [shop]\n  pgroundwork:seeds: [reference]\n  pgroundwork:airgap: true\n";
    await clone.write("Pulumi.ci.yaml", `${settings}  pgroundwork:protected: true\n`);
    const up = await ci("up");
    expect(up.code, up.stderr).toBe(0);
    const refusal = async (args: string) => {
      const { code, stderr } = await ci(args);
      expect(code, stderr).toBe(3);
      return stderr;
    };
    const way =
      "  To allow it, set pgroundwork:protected to false in Pulumi.ci.yaml and run `npm run up -- --stack ci`. Then run this command again.\n";
    expect(await refusal("destroy --yes")).toContain(`error: Stack "ci" is protected and cannot be destroyed.\n${way}`);
    for (const name of ["ci", "shop"])
      expect(await refusal(`destroy --erase ${name} --yes`)).toContain(
        `error: Stack "ci" is protected and cannot be erased.\n${way}`,
      );
    // Protection also depends on the last `up`: the setting alone does not remove it.
    await clone.write("Pulumi.ci.yaml", `${await saltOf(clone)}${settings}`);
    await refusal("destroy --erase ci --yes");
    expect((await ci("up")).code).toBe(0);
    expect((await ci("destroy --erase ci --yes")).code).toBe(0);
  });

  it("and other changes are refused in a copy of the project directory, whose state names the original's server", async () => {
    await clone.shell("cp -r --no-dereference . ../copy");
    // The test's own hosts have the code of the original.
    const own = "cd ../copy && unset PGW_TEST_PLUGIN_HOST PGW_TEST_PROGRAM_HOST && node_modules/.bin/node";
    for (const command of ["preview", "up", "down", "destroy --yes", "destroy --erase local --yes", "migrate up"]) {
      const { code, stderr } = await clone.shell(`${own} scripts/pgw.mjs ${command}`);
      expect({ command, code, stderr }).toMatchObject({ command, code: 3 });
      expect(stderr).toContain(`belongs to the project directory ${clone.root}, and `);
    }
    // Pulumi's own command gets the plugin's refusal.
    const inCopy = await clone.shell(
      `${own} scripts/pgw.mjs engine env >../env 2>/dev/null && . ../env && pulumi preview --stack local`,
    );
    expect(inCopy.code).not.toBe(0);
    expect(inCopy.stdout).toContain(`belongs to stack "local" of the project directory ${clone.root}, which`);
    expect(await changesOf(clone, "up")).toEqual([]);
    expect(await clone.query("readonly", products)).toEqual(seeded);
  });
});

/** Returns the line that Pulumi added to the settings of the stack `ci`. */
async function saltOf(clone: Clone): Promise<string> {
  const text = await readFile(join(clone.root, "Pulumi.ci.yaml"), "utf8");
  return `${/^encryptionsalt:.*$/m.exec(text)?.[0] ?? ""}\n`;
}
