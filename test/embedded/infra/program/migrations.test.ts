import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withClient } from "../../../../scripts/connection/client.ts";
import type { Draft } from "../../../unit/scripts/migrate/committed-folder.ts";
import type { Clone } from "../../clone.ts";
import { ask } from "../../terminal.ts";
import { changesOf } from "./changes.ts";
import { commit, makeShop, shopDrafts } from "./shop.ts";

const added: Draft[] = [
  { name: "shelves", body: "create table shelf (id integer primary key, label text not null);" },
  { name: "notes", body: "alter table product add column note text;" },
];
const review: Draft = { name: "reviews", body: "create table review (id integer primary key, stars smallint);" };
const broken: Draft = {
  name: "cheap",
  body: "create table bargain (id integer);\n\ncreate view cheap as\n  select nmae from product where price < 4;",
};
const mended: Draft = { name: "cheap", body: "create view cheap as\n  select name from product where price < 4;" };
const last: Draft = { name: "labels", body: "create table label (id integer primary key);" };

describe("the committed migrations of a stack", () => {
  let clone: Clone;

  const status = async () => {
    const { code, stdout } = await clone.pgw("migrate", "status", "--json");
    const { applied, pending } = JSON.parse(stdout) as {
      applied: { filename: string }[];
      pending: { filename: string }[];
    };
    return { code, applied: applied.map(({ filename }) => filename), pending: pending.map(({ filename }) => filename) };
  };

  beforeAll(async () => {
    clone = await makeShop();
    await clone.succeed("up");
  });
  afterAll(() => clone?.remove());

  it("are named by preview, applied by up and listed by status after they were added", async () => {
    await commit(clone, [...shopDrafts, ...added]);
    expect(await status()).toEqual({
      code: 4,
      applied: ["000001-products.sql", "000002-orders.sql"],
      pending: ["000003-shelves.sql", "000004-notes.sql"],
    });
    const preview = await clone.succeed("preview");
    expect(preview.stdout).toMatch(
      /^ {2}~ Migrations shop-migrations\n {6}000003-shelves\.sql\n {6}000004-notes\.sql\n1 to update, /,
    );
    const up = await clone.succeed("up");
    expect(up.stdout).toMatch(
      /^ {2}~ Migrations shop-migrations\n {6}000003-shelves\.sql\n {6}000004-notes\.sql\n1 updated, /,
    );
    expect(up.stdout).toContain("  migrations 4 applied, last 000004-notes.sql\n");
    expect(await status()).toMatchObject({ code: 0, pending: [] });
  });

  it("show no drift after they were applied", async () => {
    expect(await changesOf(clone, "refresh")).toEqual([]);
    expect(await changesOf(clone, "preview")).toEqual([]);
  });

  it("stop at a file with an error and report its position, and the files before it stay applied", async () => {
    await commit(clone, [...shopDrafts, ...added, review, broken, last]);
    const up = await clone.pgw("up");
    expect(up.code).toBe(1);
    expect(up.stderr).toContain(`error: shop-migrations: 000006-cheap.sql:7:10: column "nmae" does not exist
  5 | 
  6 | create view cheap as
  7 |   select nmae from product where price < 4;
    |          ^
  SQLSTATE 42703
  Hint: Perhaps you meant to reference the column "product.name" or the column "product.note".
  The files before it stay applied. Correct this one (it was never applied) and run again.
`);
    expect(up.stderr).toMatch(/\nerror: up of stack "local" failed\.\n$/);
    expect(up.stderr).not.toMatch(/^ +at /m);
    expect(await status()).toMatchObject({ code: 4, pending: ["000006-cheap.sql", "000007-labels.sql"] });
    expect(
      await clone.query(
        "migrator",
        "select to_regclass('review') is not null as before, to_regclass('bargain') as half",
      ),
    ).toEqual([{ before: true, half: null }]);
  });

  it("continue from the failed file after it is corrected", async () => {
    await commit(clone, [...shopDrafts, ...added, review, mended, last]);
    expect(await changesOf(clone, "preview")).toEqual(["update shop-migrations: 000006-cheap.sql, 000007-labels.sql"]);
    await clone.succeed("up");
    expect(await status()).toMatchObject({ code: 0, pending: [] });
    expect(await clone.query("readonly", "select name from cheap")).toEqual([{ name: "tea" }]);
  });

  it("fail preview and up if an applied file was edited, and nothing changes", async () => {
    const files = await commit(clone, [
      ...shopDrafts,
      ...added,
      review,
      { ...mended, body: `${mended.body}\n-- edited` },
      last,
    ]);
    for (const command of ["preview", "up"]) {
      const { code, stderr } = await clone.pgw(command);
      expect(code).toBe(1);
      expect(stderr).toContain("000006-cheap.sql was edited after it was applied: applied sha1:");
    }
    const verify = await clone.pgw("migrate", "verify");
    expect(verify.code).toBe(5);
    expect(verify.stdout).toContain("- 000006-cheap.sql was edited after it was applied: applied sha1:");
    expect(files).toContain("000006-cheap.sql");
    await commit(clone, [...shopDrafts, ...added, review, mended, last]);
    expect(await changesOf(clone, "up")).toEqual([]);
  });

  it("can be applied by graphile-migrate's command, and the roles get access to the new objects", async () => {
    await clone.write("migrations/shop/.gmrc", '{ "migrationsFolder": "." }\n');
    await commit(clone, [
      ...shopDrafts,
      ...added,
      review,
      mended,
      last,
      { name: "gifts", body: "create table gift (id integer primary key);" },
    ]);
    const byItself = await clone.shell(`set -e
      url="$(node_modules/.bin/node scripts/pgw.mjs url --role migrator)"
      cd migrations/shop
      export DATABASE_URL="$url" SHADOW_DATABASE_URL="postgresql://nobody@localhost:1/shadow"
      ../../node_modules/.bin/node ../../node_modules/.bin/graphile-migrate migrate
      ../../node_modules/.bin/node ../../node_modules/.bin/graphile-migrate status`);
    expect(byItself.code, byItself.stdout + byItself.stderr).toBe(0);
    expect(byItself.stdout).toContain("1 committed migrations executed");
    expect(await clone.query("readonly", "select count(*)::int as rows from gift")).toEqual([{ rows: 0 }]);
    expect(await clone.query("app", "insert into gift values (1) returning id")).toEqual([{ id: 1 }]);
    expect(await status()).toMatchObject({ code: 0, pending: [] });
    // The stack records what was applied without it, which is no change.
    expect(await changesOf(clone, "preview")).toEqual([]);
    const { stdout } = await clone.succeed("up");
    expect(stdout).toMatch(/^no changes \(\d+ resources\), in /);
    expect(stdout).toContain("  migrations 8 applied, last 000008-gifts.sql\n");
    await rm(join(clone.root, "migrations/shop/.gmrc"));
  });

  it("are reverted without a confirmation only if no rows are lost", async () => {
    await clone.write("migrations/shop/committed/000008-gifts.down.sql", "drop table gift;\n");
    const refused = await clone.pgw("migrate", "down");
    expect([refused.code, refused.stdout]).toEqual([3, ""]);
    expect(refused.stderr).toContain("  000008-gifts.sql\nRows that will be lost:\n  table public.gift: 1 row\n");
    expect(refused.stderr).toContain("needs a confirmation. Nothing was changed.\n  Add --yes.\n");
    const asked = await ask(clone, ["migrate", "down"], "Type shop to continue: ");
    expect(await asked.answer("shop")).toMatchObject({
      code: 0,
      output: expect.stringContaining(": 1 reverted\n") as string,
    });
    await clone.succeed("migrate", "up");
    expect((await clone.succeed("migrate", "down")).stdout).toContain(": 1 reverted\n");
  });

  it("can be brought back after they were reverted: with a snapshot that was made before, without ending sessions", async () => {
    await clone.succeed("migrate", "up");
    await clone.query("app", "insert into gift values (7)");
    const gifts = async () => (await clone.query("app", "select id from gift")).map(({ id }) => id);
    const unavailable = { DOCKER_HOST: "unix:///nonexistent", BACKUP_DIR: "package.json" };
    await withClient(await clone.login("app"), async (client) => {
      await client.query("set application_name to report");
      Object.assign(clone.env, unavailable);
      const refused = await clone.pgw("migrate", "down", "--yes");
      for (const name of Object.keys(unavailable)) delete clone.env[name];
      expect([refused.code, refused.stdout]).toEqual([3, ""]);
      expect(refused.stderr).toContain(
        '- A snapshot could not be made: The database "shop" is in use: report (shop_app).',
      );
      expect(refused.stderr).toContain("- A dump could not be made: ");
      expect(refused.stderr).toContain("Nothing was reverted. Remove one of these reasons, or add --no-backup");
      expect((await client.query("select id from gift")).rows).toEqual([{ id: 7 }]);
    });
    expect(await status()).toMatchObject({ code: 0, pending: [] });

    const { stdout, stderr } = await clone.succeed("migrate", "down", "--yes", "--json");
    const { backup } = JSON.parse(stdout) as { backup: { kind: string; name: string; restore: string } };
    const restore = `npm run pgw -- snapshot restore ${backup.name} --database shop`;
    expect(backup).toEqual({ kind: "snapshot", name: expect.stringMatching(/^before_down_\d{8}_\d{9}$/), restore });
    expect(stderr).toContain(`made the snapshot ${backup.name}; to return shop of stack local to it:\n  ${restore}\n`);
    expect(await status()).toMatchObject({ code: 4, pending: ["000008-gifts.sql"] });
    await clone.succeed(...restore.split(" ").slice(4), "--yes");
    expect([await gifts(), await status()]).toEqual([[7], expect.objectContaining({ code: 0, pending: [] })]);

    const none = JSON.parse((await clone.succeed("migrate", "down", "--yes", "--no-backup", "--json")).stdout);
    expect(none).toMatchObject({ backup: null, reverted: [{ filename: "000008-gifts.sql" }] });
    const { snapshots } = JSON.parse((await clone.succeed("snapshot", "list", "--json")).stdout) as {
      snapshots: { name: string }[];
    };
    // Two are of the reverts before.
    expect(snapshots.map(({ name }) => name)).toEqual([backup.name, expect.anything(), expect.anything()]);
  });

  it("are previewed apart from a draft, which up never applies", async () => {
    await clone.write("migrations/shop/current.sql", "--! Message: more\n\ncreate table more ();\n");
    const { stdout } = await clone.succeed("preview", "--json");
    expect(JSON.parse(stdout)).toMatchObject({
      changes: [{ name: "shop-migrations", pending: ["000008-gifts.sql"] }],
      drafts: [{ database: "shop", filename: "current.sql", message: "more", statements: 1, unreadable: null }],
    });
    await clone.succeed("up");
    const text = (await clone.succeed("preview")).stdout;
    expect(text).toMatch(/^no changes .*\nshop: current\.sql is a draft \(1 statement, never applied\): more\n$/);
  });
});

describe("the seeds of a stack", () => {
  let clone: Clone;
  const file = "migrations/shop/seeds/dev/010-orders.sql";

  beforeAll(async () => {
    clone = await makeShop();
    await clone.succeed("up");
  });
  afterAll(() => clone?.remove());

  it("are named by preview and run again by up after a file changed", async () => {
    await clone.write(file, "--! Title: orders to look at\n\nupdate customer_order set amount = 7;\n");
    expect((await clone.pgw("seed", "info")).code).toBe(4);
    expect(await changesOf(clone, "preview")).toEqual(["update shop-seeds-dev: 010-orders.sql"]);
    await clone.succeed("up");
    expect(await clone.query("app", "select distinct amount from customer_order")).toEqual([{ amount: 7 }]);
    expect((await clone.pgw("seed", "info")).code).toBe(0);
  });

  it("are named again after the same file changed twice", async () => {
    await clone.write(file, "update customer_order set amount = 8;\n");
    expect(await changesOf(clone, "preview")).toEqual(["update shop-seeds-dev: 010-orders.sql"]);
    await clone.succeed("up");
    expect(await clone.query("app", "select distinct amount from customer_order")).toEqual([{ amount: 8 }]);
  });

  it("fail up with the position of an error, and nothing of the file is applied", async () => {
    await clone.write(file, "delete from customer_order;\nselect 1 / 0;\n");
    const up = await clone.pgw("up");
    expect(up.code).toBe(1);
    expect(up.stderr).toContain("error: shop-seeds-dev: dev/010-orders.sql:2:1: division by zero\n");
    expect(up.stderr).toContain("  SQLSTATE 22012\n");
    expect(await clone.query("app", "select amount from customer_order limit 1")).toEqual([{ amount: 8 }]);
  });
});
