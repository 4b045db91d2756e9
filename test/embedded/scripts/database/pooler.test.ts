import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { applyMigrations } from "../../../../scripts/migrate/apply.ts";
import { readStatus } from "../../../../scripts/migrate/verify.ts";
import type { Connection } from "../../../../scripts/target/connection.ts";
import { databasePerTest, errorOf } from "../migrate/database-per-test.ts";
import { hasPgBouncer, type Pooler, startPooler } from "./pooler.ts";

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

describe.skipIf(!hasPgBouncer)("migrating through PgBouncer (needs it: apt-get install pgbouncer)", () => {
  it.each(["transaction", "statement"] as const)(
    "is refused with the reason where it pools by %s, and nothing ran",
    async (mode) => {
      pooler = await startPooler(connection, mode);
      const { folder } = await folderOf([one]);
      const error = await errorOf(applyMigrations({ connection: pooler.connection, folder }));
      expect(error.message).toMatch(
        / leads through a proxy that pools transactions or statements \(PgBouncer's pool_mode\): sessions do not stay\.$/,
      );
      expect(await query("select to_regclass('one') as one")).toEqual([{ one: null }]);
    },
  );

  it("is refused also while other clients of the pool come and go", async () => {
    pooler = await startPooler(connection, "transaction");
    const { folder } = await folderOf([one]);
    const others = Array.from({ length: 5 }, () => query("select pg_sleep(0.3)", pooler?.connection));
    await errorOf(applyMigrations({ connection: pooler.connection, folder }));
    await Promise.all(others);
    expect(await query("select to_regclass('one') as one")).toEqual([{ one: null }]);
  });

  it("works where it pools by session", async () => {
    pooler = await startPooler(connection, "session");
    const { folder } = await folderOf([one]);
    await applyMigrations({ connection: pooler.connection, folder });
    expect(await query("select to_regclass('one')::text as one")).toEqual([{ one: "one" }]);
  });

  it("can be asked about in any mode that lets transactions be", async () => {
    pooler = await startPooler(connection, "transaction");
    const { folder } = await folderOf([one]);
    expect(await readStatus(pooler.connection, folder)).toMatchObject({
      known: true,
      pending: [{ filename: "000001-one.sql" }],
    });
  });
});

it("a connection of one's own is never taken for a pooled one, many at once neither", async () => {
  const { folder } = await folderOf([one]);
  const deployers = Array.from({ length: 6 }, () => applyMigrations({ connection, folder }));
  expect((await Promise.all(deployers)).map(({ applied }) => applied.length).sort()).toEqual([0, 0, 0, 0, 0, 1]);
});
