import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withClient } from "../../../../scripts/target/client.ts";
import { type Clone, makeClone } from "../../clone.ts";
import { changesOf } from "../../infra/program/changes.ts";
import { shopSettings } from "../../infra/program/shop.ts";

describe("database new", () => {
  let clone: Clone;
  const own = { memory: 512, maxConnections: 30, postgresql: shopSettings.postgresql };

  beforeAll(async () => {
    clone = await makeClone();
    // One's own beside nothing else: what the examples hold is none of this test's business.
    await clone.configure({ ...own, databases: [] });
  });
  afterAll(() => clone?.remove());

  it("makes a folder, and names what to do next", async () => {
    const { stdout } = await clone.succeed("database", "new", "shop");
    expect(stdout).toContain("migrations/shop is made: database.json, .gmrc, current.sql, ");
    expect(stdout).toContain("Pulumi.local.yaml has it in its databases now.\n");
    expect(stdout).toContain("  npm run up ");
    expect(await readFile(join(clone.root, "Pulumi.local.yaml"), "utf8")).toMatch(/databases: *\[ *"?shop"? *\]/);
  });

  it("makes one that comes up as it is, and has nothing to do the second time", async () => {
    const { stdout } = await clone.succeed("up");
    expect(stdout).toContain("database     shop\n  migrations 0 applied\n");
    expect(await changesOf(clone, "up")).toEqual([]);
    const rows = await withClient(await clone.login("app", "shop"), async (client) => {
      return (await client.query("select current_database() as database, current_user as user")).rows;
    });
    expect(rows).toEqual([{ database: "shop", user: "shop_app" }]);
  });

  it("makes one that graphile-migrate's own command line works in", async () => {
    const { code, stdout, stderr } = await clone.shell(
      `cd migrations/shop && DATABASE_URL="$(cd ../.. && node_modules/.bin/node scripts/pgw.mjs url -r migrator)" ../../node_modules/.bin/graphile-migrate migrate`,
    );
    expect(code, stderr).toBe(0);
    expect(stdout + stderr).toContain("Up to date");
  });

  it("is answered as JSON where that is asked for, and leaves the settings alone where that is", async () => {
    const { stdout } = await clone.succeed("database", "new", "other", "--no-settings", "--json");
    expect(JSON.parse(stdout)).toMatchObject({
      database: "other",
      files: expect.arrayContaining(["migrations/other/database.json"]),
    });
    expect(await readFile(join(clone.root, "Pulumi.local.yaml"), "utf8")).not.toContain("other");
  });

  it("refuses a name that cannot be one, and one that is taken, and makes nothing", async () => {
    const before = await readdir(join(clone.root, "migrations"));
    const wrong = await clone.pgw("database", "new", "My-Shop");
    expect([wrong.code, wrong.stderr]).toEqual([
      2,
      'error: "My-Shop" cannot be a database\'s name.\n  Expected: a letter, then letters, digits and _, lower case, 48 characters at most.\n',
    ]);
    const taken = await clone.pgw("database", "new", "shop");
    expect([taken.code, taken.stderr]).toEqual([
      3,
      `error: ${join(clone.root, "migrations", "shop")} is there already.\n  Choose another name, or go on with what is there.\n`,
    ]);
    expect(await readdir(join(clone.root, "migrations"))).toEqual(before);
  });
});
