import { PassThrough } from "node:stream";
import { sql } from "kysely";
import type { Client } from "pg";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { withRequestContext } from "../../../../scripts/client/context.ts";
import { createPool } from "../../../../scripts/client/create-pool.ts";
import { kyselyOn } from "../../../../scripts/client/kysely.ts";
import { type Connection, connectionUrl } from "../../../../scripts/connection/connection.ts";
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

describe.skipIf(!hasPgBouncer)("a pool with `pooled` (needs PgBouncer: apt-get install pgbouncer)", () => {
  const limits = { queryTimeoutMs: 2_345, lockTimeoutMs: 234, idleInTransactionTimeoutMs: 3_456 };
  const names = ["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "timezone", "app.user_id"];
  const seen = `concat_ws(' ', ${names.map((name) => `current_setting('${name}', true)`).join(", ")})`;
  const expected = "2345ms 234ms 3456ms UTC u1";

  it("has its limits and the request's context in everything that it runs, and leaves nothing behind", async () => {
    pooler = await startPooler(connection, "transaction", ["default_pool_size = 1"]);
    await query(`alter role ${connection.user} set timezone = 'Asia/Kolkata'`, test.server.connection());
    await using pool = createPool({ env: {}, connection: connectionUrl(pooler.connection), pooled: true, ...limits });
    const database = kyselyOn(pool);
    const text = `select ${seen} as seen`;
    const raw = sql<{ seen: string }>`${sql.raw(text)}`;
    const copied = new PassThrough();
    const streamed = async () => {
      const rows: unknown[] = [];
      for await (const row of pool.stream(text)) rows.push(row);
      return { rows };
    };
    const ways = {
      query: () => pool.query(text),
      "a prepared query": () => pool.query({ text, prepare: true }),
      transaction: () => pool.transaction((transaction) => transaction.query(text)),
      "a transaction with a limit of its own": () =>
        pool.transaction((each) => each.query(text), { queryTimeoutMs: 4_567 }),
      Kysely: () => raw.execute(database),
      "Kysely's transaction": () => database.transaction().execute((transaction) => raw.execute(transaction)),
      stream: streamed,
      COPY: async () => {
        await pool.copyTo(`copy (${text}) to stdout`, copied);
        return { rows: [{ seen: String(await copied.toArray()).trim() }] };
      },
    };
    // A server's statement timeout would count the time of the consumer.
    const statementLimits: Record<string, string> = {
      "a transaction with a limit of its own": "4567ms",
      stream: "0",
      COPY: "0",
    };
    for (const [way, run] of Object.entries(ways)) {
      const { rows } = await withRequestContext({ userId: "u1" }, run);
      expect(rows, way).toEqual([{ seen: expected.replace("2345ms", statementLimits[way] ?? "2345ms") }]);
    }
    for await (const _ of pool.stream("select generate_series(1, 1000)")) break;
    expect(await query(text, pooler.connection)).toEqual([{ seen: "0 0 0 Asia/Kolkata " }]);
    expect(pool.stats).toMatchObject({ used: 0, discarded: 0, connects: 1 });
  });

  it("ends a statement at the server, and runs those that refuse a transaction", async () => {
    pooler = await startPooler(connection, "transaction", ["default_pool_size = 2"]);
    await using pool = createPool({
      ...{ env: {}, connection: connectionUrl(pooler.connection), pooled: true },
      queryTimeoutMs: 200,
    });
    await query("create table one (id int primary key deferrable initially deferred)");
    await expect(pool.query("select pg_sleep(60)")).rejects.toMatchObject({ code: "57014" });
    await expect(pool.query("insert into one values ($1), (1)", [1])).rejects.toMatchObject({ code: "23505" });
    await pool.query("vacuum one");
    const inContext = () => pool.query("vacuum one");
    await expect(withRequestContext({ userId: "u1" }, inContext)).rejects.toMatchObject({ code: "25001" });
    const sent = Array.from({ length: 20 }, (_, id) => pool.query("insert into one values ($1)", [id]));
    await Promise.all(sent);
    expect((await pool.query("select count(*)::int as count from one")).rows).toEqual([{ count: 20 }]);
    expect(pool.stats).toMatchObject({ used: 0, discarded: 0 });
  });
});

it("a direct connection is never taken for a pooled one, even with many at once", async () => {
  const { folder } = await folderOf([one]);
  const deployers = Array.from({ length: 6 }, () => applyMigrations({ connection, folder }));
  expect((await Promise.all(deployers)).map(({ applied }) => applied.length).sort()).toEqual([0, 0, 0, 0, 0, 1]);
});
