import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clientConfig } from "../../../../scripts/connection/connection.ts";
import { extensionCatalog } from "../../../../scripts/model/extension-catalog.ts";
import { imageExtensions } from "../../../../scripts/model/image-extensions.ts";
import { commit, shopDrafts } from "../../../embedded/infra/program/shop.ts";
import type { DockerStack } from "../../stack.ts";
import { jobsDraft, makeExtendedShop, use } from "./extended-shop.ts";
import { extensionUses, superuserUses } from "./extension-uses.ts";

const names = [...imageExtensions(false)];

// One stack has all extensions. Each of these tests needs a server that the stack has configured and the roles of the
// database; none of them changes what another one sees.
describe("a database in a container with every extension of the image", () => {
  let shop: DockerStack;
  let migrator: pg.Client;
  let password: string;
  beforeAll(async () => {
    shop = await makeExtendedShop((name) => names.includes(name));
    await shop.succeed("up");
    migrator = new pg.Client(clientConfig(await shop.login("migrator"), "test"));
    await migrator.connect();
    password = String((await shop.login("app")).password);
  });
  afterAll(() => migrator?.end());

  it("is up to date after the first `up`", async () => {
    expect((await shop.succeed("up")).stdout).toMatch(/^no changes/m);
  });

  it("has a use or a refusal in this file for every extension that it documents", () => {
    const used = [...Object.keys(extensionUses), ...Object.keys(superuserUses), "pgaudit"];
    expect(used.sort()).toEqual(Object.keys(extensionCatalog).sort());
    const refused = Object.keys(extensionCatalog).filter((name) => extensionCatalog[name]?.superuserOnly);
    expect(Object.keys(superuserUses)).toEqual(refused);
  });

  it.each(Object.keys(extensionUses).filter((name) => names.includes(name)))("the migrator uses %s", async (name) => {
    expect(await use(migrator, name, password)).toBe(extensionUses[name]?.value);
  });

  it.each(Object.keys(superuserUses))("the migrator cannot use %s, and the superuser can", async (name) => {
    const sql = superuserUses[name] ?? "";
    const refusal = { message: expect.stringMatching(/permission denied|must be superuser/), code: "42501" };
    await expect(migrator.query(sql)).rejects.toMatchObject(refusal);
    await shop.query("superuser", `begin; ${sql}; rollback`);
  });

  it("pgaudit logs statements of the migrator as the stack's settings say", async () => {
    await migrator.query("begin; create table audited (id integer); rollback");
    expect((await shop.succeed("logs")).stdout).toMatch(/AUDIT: SESSION,.*CREATE TABLE.*create table audited/);
  });

  it("the readonly role uses an extension in a schema of its own", async () => {
    const sql = "select extensions.fetchval('a=>1'::extensions.hstore, 'a') as value";
    expect(await shop.query("readonly", sql)).toEqual([{ value: "1" }]);
  });

  it("a job that a migration scheduled runs as the migrator, which acts as the owner", async () => {
    let beats: { who: string }[] = [];
    for (let tries = 0; beats.length === 0 && tries < 60; tries += 1) {
      await sleep(500);
      ({ rows: beats } = await migrator.query<{ who: string }>("select distinct who from beat"));
    }
    expect(beats).toEqual([{ who: "shop_migrator as shop_owner" }]);
    const { rows: tables } = await migrator.query("select tableowner from pg_tables where tablename = 'after_job'");
    expect(tables).toEqual([{ tableowner: "shop_owner" }]);
  });

  it("is not renamed on the server while pg_cron's scheduler is connected to it, and the hint says how", async () => {
    await shop.succeed("database", "rename", "shop", "store");
    const { code, stderr } = await shop.pgw("database", "rename", "shop", "store", "--on-server");
    await shop.succeed("database", "rename", "store", "shop");
    expect([code, stderr]).toEqual([
      3,
      expect.stringMatching(/"shop" lists the extension pg_cron, whose scheduler is connected[\s\S]*Remove pg_cron/),
    ]);
  });

  it("jobs have worker processes besides those of parallel queries", async () => {
    const sql =
      "select current_setting('max_worker_processes')::int - current_setting('max_parallel_workers')::int as own";
    const [{ own } = { own: 0 }] = await shop.query<{ own: number }>("superuser", sql);
    expect(own).toBeGreaterThanOrEqual(6);
  });

  it("preview names a privilege that was revoked by hand, and `up` grants it again", async () => {
    await shop.query("superuser", "revoke usage on schema cron from shop_migrator");
    const grant = "privileges on pg_cron to shop_migrator";
    expect((await shop.succeed("preview")).stdout).toContain(
      `ExtensionPrivileges shop-extension-privileges\n      ${grant}`,
    );
    await shop.succeed("up");
    expect(await use(migrator, "pg_cron", password)).toBe("true");
    expect((await shop.succeed("up")).stdout).toMatch(/^no changes/m);
  });

  it("a job that the owner schedules fails in `migrate plan` and `migrate up`, which says how to schedule it", async () => {
    const body = "select cron.schedule('never', '1 second', 'select 1')";
    await commit(shop.clone, [...shopDrafts, jobsDraft, { name: "never", body }]);
    const refusal = /000004-never\.sql:4:8: permission denied for schema cron/;
    const plan = await shop.pgw("migrate", "plan");
    expect([plan.code, plan.stdout]).toEqual([1, expect.stringMatching(refusal)]);
    const up = await shop.pgw("migrate", "up");
    expect([up.code, up.stderr]).toEqual([1, expect.stringMatching(refusal)]);
    expect(up.stderr).toContain("Put `set local role none;` before the statement");
  });
});
