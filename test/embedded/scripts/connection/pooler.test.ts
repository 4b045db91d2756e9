import type { Client } from "pg";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Connection } from "../../../../scripts/connection/connection.ts";
import { applyMigrations } from "../../../../scripts/migrate/apply.ts";
import { readStatus } from "../../../../scripts/migrate/verify.ts";
import { hasPgBouncer, type Pooler, startPooler } from "../databases/pooler.ts";
import { databasePerTest, errorOf } from "../migrate/database-per-test.ts";

const test = databasePerTest();
const { folderOf, query } = test;
let connection: Connection;
let pooler: Pooler | undefined;
beforeEach(() => {
  connection = test.connection;
});
afterEach(async () => {
  await pooler?.stop();
  pooler = undefined;
});

const one = { name: "one", body: "create table one (id int primary key);" };

describe.skipIf(!hasPgBouncer)("migrations through PgBouncer (needs it: apt-get install pgbouncer)", () => {
  it.each(["transaction", "statement"] as const)(
    "are refused with the reason if PgBouncer pools by %s, and nothing runs",
    async (mode) => {
      pooler = await startPooler(connection, mode);
      const { folder } = await folderOf([one]);
      const error = await errorOf(applyMigrations({ connection: pooler.connection, folder }));
      expect(error.message).toMatch(
        / goes through a proxy that pools transactions or statements \(PgBouncer's pool_mode\), so it has no lasting session\.$/,
      );
      expect(await query("select to_regclass('one') as one")).toEqual([{ one: null }]);
    },
  );

  it("are refused even while other clients of the pool come and go", async () => {
    pooler = await startPooler(connection, "transaction");
    const { folder } = await folderOf([one]);
    const others = Array.from({ length: 5 }, () => query("select pg_sleep(0.3)", pooler?.connection));
    await errorOf(applyMigrations({ connection: pooler.connection, folder }));
    await Promise.all(others);
    expect(await query("select to_regclass('one') as one")).toEqual([{ one: null }]);
  });

  it("run if PgBouncer pools by session", async () => {
    pooler = await startPooler(connection, "session");
    const { folder } = await folderOf([one]);
    await applyMigrations({ connection: pooler.connection, folder });
    expect(await query("select to_regclass('one')::text as one")).toEqual([{ one: "one" }]);
  });

  it("have a readable status in any mode that allows transactions", async () => {
    pooler = await startPooler(connection, "transaction");
    const { folder } = await folderOf([one]);
    expect(await readStatus(pooler.connection, folder)).toMatchObject({
      known: true,
      pending: [{ filename: "000001-one.sql" }],
    });
  });
});

describe.skipIf(!hasPgBouncer)("the kit's session settings (needs PgBouncer: apt-get install pgbouncer)", () => {
  const shown = async (client: Client) =>
    (await client.query("select current_setting('timezone') as zone, current_setting('statement_timeout') as timeout"))
      .rows[0];

  it("do not leak into an application session if PgBouncer pools by transaction", async () => {
    pooler = await startPooler(connection, "transaction");
    const superuser = test.server.connection(connection.database);
    await query(`alter role ${connection.user} set statement_timeout = '7s'`, superuser);
    await query(`alter role ${connection.user} set timezone = 'Asia/Kolkata'`, superuser);
    const { folder } = await folderOf([one]);
    await readStatus(pooler.connection, folder);
    await errorOf(applyMigrations({ connection: pooler.connection, folder }));
    const { default: pg } = await import("pg");
    const application = new pg.Client({ ...pooler.connection, ssl: false });
    await application.connect();
    expect(await shown(application)).toEqual({ zone: "Asia/Kolkata", timeout: "7s" });
    await application.end();
  });

  it("apply if PgBouncer pools by session", async () => {
    pooler = await startPooler(connection, "session");
    await query(`alter role ${connection.user} set statement_timeout = '150ms'`, test.server.connection());
    const { folder } = await folderOf([{ name: "slow", body: "select pg_sleep(0.4);" }]);
    expect((await applyMigrations({ connection: pooler.connection, folder })).applied).toHaveLength(1);
  });
});

it("a direct connection is never taken for a pooled one, even with many at once", async () => {
  const { folder } = await folderOf([one]);
  const deployers = Array.from({ length: 6 }, () => applyMigrations({ connection, folder }));
  expect((await Promise.all(deployers)).map(({ applied }) => applied.length).sort()).toEqual([0, 0, 0, 0, 0, 1]);
});
