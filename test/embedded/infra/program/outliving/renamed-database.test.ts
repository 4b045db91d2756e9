import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withClient } from "../../../../../scripts/connection/client.ts";
import type { Clone } from "../../../clone.ts";
import { changesOf } from "../changes.ts";
import { makeStockedShop } from "./rows.ts";

describe("a database with a renamed folder and setting", () => {
  let clone: Clone;

  beforeAll(async () => {
    clone = await makeStockedShop();
  });
  afterAll(() => clone?.remove());

  const products = async (database: string) =>
    withClient(await clone.login("app", database), async (client) => {
      return (await client.query("select count(*)::int as products from product")).rows[0]?.products;
    });
  const dropLine = (text: string) => /^ *(npm run pgw -- snapshot drop .*)$/m.exec(text)?.[1] ?? "false";
  const onServer = "npm run pgw -- database rename shop store --on-server";

  it("is not renamed on the server as long as the settings have the old name", async () => {
    const { code, stderr } = await clone.pgw("database", "rename", "shop", "store", "--on-server");
    expect([code, stderr]).toEqual([
      3,
      'error: The settings of stack "local" do not have the database "store". Nothing was changed.\n' +
        "  Rename the folder and its name in the settings first: npm run pgw -- database rename shop store\n",
    ]);
  });

  it("is not begun to be renamed while the server has snapshots of it", async () => {
    await clone.succeed("snapshot", "save", "before", "-d", "shop");
    const { code, stderr } = await clone.pgw("database", "rename", "shop", "store");
    expect([code, stderr]).toEqual([3, expect.stringContaining("would not be found under another name: before.")]);
    expect(await readdir(join(clone.root, "migrations"))).toContain("shop");
    expect((await clone.shell(dropLine(stderr))).code).toBe(0);
  });

  it("is reported by preview with the command that keeps its rows, before an empty one is created", async () => {
    const { stdout } = await clone.succeed("database", "rename", "shop", "store");
    expect(stdout).toContain("renamed migrations/shop to migrations/store, also in Pulumi.local.yaml.\n");
    expect(stdout).toContain(`  ${onServer}\n`);
    // A command that is killed between the folder and the settings leaves this; the next one completes it.
    await clone.shell("sed -i s/store/shop/ Pulumi.local.yaml");
    const again = await clone.succeed("database", "rename", "shop", "store");
    expect(again.stdout).toContain("to migrations/store, also in Pulumi.local.yaml.\n");
    expect(await readFile(join(clone.root, "Pulumi.local.yaml"), "utf8")).toMatch(/databases: *\[ *"?store"? *\]/);
    const warning =
      'Database "store" will be created empty. The server also has shop, which is no longer in the settings.';
    const preview = await clone.succeed("preview");
    expect(preview.stdout).toContain("+ database store (");
    expect(preview.stderr).toContain(warning);
    // A database with tables that were made by hand has rows, too.
    await clone.shell("mv migrations/store/committed committed");
    expect((await clone.succeed("preview")).stderr).toContain(warning);
    await clone.shell("mv committed migrations/store/committed");
    expect(preview.stderr).toContain(`\n    ${onServer}\n`);
  });

  it("is not renamed on the server while it has connections, or to an existing name", async () => {
    await withClient(await clone.login("app", "shop"), async () => {
      const busy = await clone.pgw("database", "rename", "shop", "store", "--on-server");
      expect([busy.code, busy.stderr]).toEqual([3, expect.stringContaining("End the connections to it")]);
    });
    const taken = await clone.pgw("database", "rename", "shop", "postgres", "--on-server");
    expect(taken.code).toBe(2);
    const unknown = await clone.pgw("database", "rename", "depot", "store", "--on-server");
    expect([unknown.code, unknown.stderr]).toEqual([
      3,
      'error: The server has no database "depot".\n  Nothing was changed.\n',
    ]);
  });

  it("is not renamed on the server while it has snapshots, which are found by its name", async () => {
    await clone.succeed("snapshot", "save", "before", "-d", "shop");
    // Now the stack no longer has the old name, but an empty database of the new one.
    await clone.succeed("up");
    const { code, stderr } = await clone.shell(onServer);
    expect([code, stderr]).toEqual([3, expect.stringContaining("would not be found under another name: before.")]);
    const { stdout } = await clone.succeed("snapshot", "list", "-d", "shop", "--json");
    expect(JSON.parse(stdout)).toMatchObject({ database: "shop", snapshots: [{ name: "before", of: "shop" }] });
    expect((await clone.shell(dropLine(stderr))).code).toBe(0);
    const none = await clone.pgw("snapshot", "list", "-d", "shop");
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('Stack "local" has no database "shop".')]);
    const taken = await clone.shell(onServer);
    const erase = /npm run pgw -- (destroy --erase store)$/m.exec(taken.stderr)?.[1] ?? "";
    await clone.succeed(...erase.split(" "), "--yes");
  });

  it("keeps its rows after it was renamed on the server, and the next up changes nothing", async () => {
    const renamed = await clone.shell(onServer);
    expect(renamed.code, renamed.stderr).toBe(0);
    const up = await clone.succeed("up");
    expect(up.stderr).not.toContain("will be created empty");
    expect(await products("store")).toBe(3);
    expect(await changesOf(clone, "up")).toEqual([]);
    const superuser = await clone.login("superuser", "store");
    const names = await withClient(superuser, async (client) => {
      const { rows } = await client.query("select datname from pg_database where datname in ('shop', 'store')");
      const roles = await client.query("select rolname from pg_roles where rolname like 'shop%'");
      return [...rows, ...roles.rows];
    });
    expect(names).toEqual([{ datname: "store" }]);
  });
});
