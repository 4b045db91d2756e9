import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { beforeAll, expect, it } from "vitest";
import { withClient } from "../../../../scripts/connection/client.ts";
import { connectionUrl } from "../../../../scripts/connection/connection.ts";
import { draftCacheTriggers } from "../../../../scripts/migrate/authoring/cache-triggers.ts";
import { databasePerTest } from "../migrate/database-per-test.ts";
import { importPackage, type Kit } from "../package/entry-points.ts";
import { installPackage } from "../package/installed.ts";

const test = databasePerTest();
let kit: Kit;
beforeAll(async () => {
  kit = await importPackage("");
});

const env = () => ({ DATABASE_URL: connectionUrl(test.connection) });
const table = "create table item (id int primary key, name text not null)";

it("a program changes rows in the name of a user, and gets the rule that refused a change", async () => {
  await test.query(table);
  await using pool = kit.createPool({ env: env() });
  const insert = (id: number, name: string | null) =>
    kit.write(() => pool.query("insert into item values ($1, $2)", [id, name]));
  await expect(insert(1, "tea")).rejects.toThrow(kit.NoActorError);
  expect(() => kit.actingUser()).toThrow(kit.NoActorError);
  await kit.withRequestContext({ userId: "ann" }, async () => {
    expect([kit.requestContext(), kit.actingUser()]).toEqual([{ userId: "ann" }, "ann"]);
    await insert(1, "tea");
    await expect(insert(1, "tea")).rejects.toBeInstanceOf(kit.AlreadyExistsError);
    await expect(insert(2, null)).rejects.toMatchObject({ constructor: kit.InvalidValueError, column: "name" });
    const { rows } = await pool.query("select current_setting('app.user_id') as user");
    expect(rows).toEqual([{ user: "ann" }]);
  });
  const { rows } = await kit.read(() => pool.query("select name from item"));
  expect(kit.found(rows[0], "item", "1")).toEqual({ name: "tea" });
  expect(() => kit.found(undefined, "item", "9")).toThrow(kit.NotFoundError);
  expect(() => kit.foundVersion(undefined, true, "item", "1")).toThrow(kit.VersionConflictError);
  const other = new Error("not the server's");
  expect(kit.domainError(other)).toBe(other);
});

it("a program reads through a cache, which knows of changes by others", async () => {
  await test.query(`${table}; insert into item values (1, 'tea')`);
  const { folder } = await test.folderOf([]);
  await mkdir(join(folder, "committed"), { recursive: true });
  await withClient(test.connection, (client) => draftCacheTriggers(client, folder, ["item"]));
  await test.query(await readFile(join(folder, "current.sql"), "utf8"));
  await using pool = kit.createPool({ env: env() });
  const cache = await kit.createCache(pool, { tables: ["item"] });
  const names = () => cache.query({ text: "select name from item" });
  expect([await names(), await names()]).toEqual([[{ name: "tea" }], [{ name: "tea" }]]);
  expect(cache.stats).toMatchObject({ hits: 1, misses: 1 });
  await test.query("update item set name = 'salt'");
  await expect.poll(names).toEqual([{ name: "salt" }]);
  await cache.close();
});

it("a program is told that it uses a client after it has returned it", async () => {
  await using pool = kit.createPool({ env: env(), max: 1 });
  const client = await pool.connect();
  client.release();
  expect(() => client.release()).toThrow(kit.UseAfterEndError);
  await expect(client.query("select 1")).rejects.toBeInstanceOf(kit.UseAfterEndError);
});

it("a program registers the metrics of a pool, and removes them", async () => {
  const { linked } = await installPackage();
  const { Registry } = createRequire(join(linked, "program.js"))("prom-client") as typeof import("prom-client");
  const registry = new Registry();
  await using pool = kit.createPool({ env: env(), max: 7 });
  const remove = await kit.registerPoolMetrics(pool, registry, "shop");
  expect(await registry.metrics()).toContain('db_client_connection_max{db_client_connection_pool_name="shop"} 7');
  remove();
  expect((await registry.metrics()).trim()).toBe("");
});

it("a program uses Kysely on a pool, in transactions, and page by page", async () => {
  await test.query(`${table}; insert into item values (1, 'tea'), (2, 'salt')`);
  const kysely = await importPackage("/kysely");
  await using pool = kit.createPool({ env: env() });
  interface Tables {
    item: { id: number; name: string };
  }
  const items = kysely.kyselyOn<Tables>(pool).selectFrom("item").selectAll();
  // Without a standby, the primary answers.
  const onStandbys = kysely.kyselyOn<Tables>(pool.standby()).selectFrom("item").selectAll();
  expect(await onStandbys.execute()).toEqual(await items.execute());
  await kysely.kyselyTransaction<Tables, unknown>(pool, (database) =>
    database.insertInto("item").values({ id: 3, name: "100 % cocoa" }).execute(),
  );
  expect(await items.where("name", "like", kysely.containing("%")).execute()).toEqual([{ id: 3, name: "100 % cocoa" }]);
  const order = { by: "name", id: "id", direction: "asc" } as const;
  const first = await kysely.pageOf(items, order, { limit: 2 });
  const second = await kysely.pageOf(items, order, { limit: 2, after: first.next });
  expect([first, second].map(({ rows }) => rows.map(({ id }) => id))).toEqual([[3, 2], [1]]);
});
