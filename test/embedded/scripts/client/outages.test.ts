import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { OutcomeUnknownError, PoolTimeoutError } from "../../../../scripts/client/errors.ts";
import { kyselyOn } from "../../../../scripts/client/kysely.ts";
import type { PoolOptions } from "../../../../scripts/client/settings.ts";
import { type PoolServer, startPoolServer } from "./pool-server.ts";

let on: PoolServer;
beforeAll(async () => {
  on = await startPoolServer();
});
afterAll(() => on.stop());

/** Options for a list of servers on 127.0.0.1, as the application's role. */
function servers(ports: readonly number[], options: PoolOptions = {}): PoolOptions {
  const { database, user, password } = on.server.as("app", "shop");
  return {
    connection: { hosts: ports.map((port) => ({ host: "127.0.0.1", port })), database, user, password },
    ...options,
  };
}

/** Starts a server that answers each login as PostgreSQL does while it starts. Returns its port. */
async function startingServer(): Promise<number> {
  const fields = "SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0";
  const length = Buffer.alloc(4);
  length.writeInt32BE(4 + fields.length);
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.end(Buffer.concat([Buffer.from("E"), length, Buffer.from(fields)])));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** A port that nothing listens on. */
const deadPort = 1;

describe("an outage", () => {
  it("costs a limited number of attempts, and ends within a second of the server's return", async () => {
    const proxy = await on.proxy();
    const pool = on.pool({ max: 5, connectionTimeoutMs: 20_000 }, proxy.port);
    await proxy.close();
    const waiting = Array.from({ length: 25 }, (_, index) => pool.query("select $1::int as index", [index]));
    await sleep(4_000);
    const attempts = pool.stats.connectAttempts;
    // 60 s cost at most 100: the first 4 s have the short delays.
    expect(attempts).toBeGreaterThan(4);
    expect(attempts).toBeLessThanOrEqual(16);
    await proxy.reopen();
    const returned = performance.now();
    expect((await Promise.all(waiting)).map(({ rows }) => rows[0]?.index)).toEqual(
      Array.from({ length: 25 }, (_, i) => i),
    );
    // Threefold, because the machine is busy.
    expect(performance.now() - returned).toBeLessThan(3_000);
    expect(pool.stats).toMatchObject({ used: 0, waiting: 0 });
  });

  it("ends for the caller at connectionTimeoutMs, with the server's last error, if the handshake is frozen", async () => {
    const proxy = await on.proxy();
    const pool = on.pool({ max: 2, connectionTimeoutMs: 400 }, proxy.port);
    proxy.freeze();
    const started = performance.now();
    const error: unknown = await pool.query("select 1").catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(PoolTimeoutError);
    expect((error as Error).message).toContain("within 400 ms");
    // Without the limit, it would wait for ever.
    expect(performance.now() - started).toBeLessThan(5_000);
    proxy.thaw();
    await expect.poll(() => pool.stats.total).toBe(0);
    const sessions = await on.admin.query("select from pg_stat_activity where usename = 'shop_app' and query = ''");
    expect(sessions.rowCount).toBe(0);
    expect((await pool.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
    expect(pool.stats).toMatchObject({ total: 1, idle: 1, used: 0 });
  });

  it("of a frozen server does not fail a statement that is answered after the thaw", async () => {
    const proxy = await on.proxy();
    const pool = on.pool({ max: 2 }, proxy.port);
    await pool.query("select 1");
    proxy.freeze();
    const written = pool.query("insert into writes (key) values ('frozen-1')");
    await sleep(1_000);
    proxy.thaw();
    await written;
    expect(await on.written("frozen-")).toEqual(new Map([["frozen-1", 1]]));
  });

  it("of a half-open connection is found by a test before use, and its statement runs on a new one", async () => {
    const proxy = await on.proxy();
    const pool = on.pool({ max: 3, checkIdleAfterMs: 50, hostTimeoutMs: 300 }, proxy.port);
    await Promise.all([1, 2, 3].map(() => pool.query("select pg_sleep(0.05)")));
    proxy.decide(({ from, type }) => (from === "client" && type === "Q" ? "hold" : "pass"));
    await sleep(100);
    const inserted = pool.query("insert into writes (key) values ('half-open-1')");
    await sleep(100);
    proxy.decide(() => "pass");
    await inserted;
    // All three were idle as long, so none is tested again.
    expect(pool.stats.discarded).toBeGreaterThanOrEqual(3);
    expect(await on.written("half-open-")).toEqual(new Map([["half-open-1", 1]]));
  });

  it("ends when the server's name leads to another port", async () => {
    const proxy = await on.proxy();
    const pool = on.pool({ max: 2 }, proxy.port);
    proxy.redirect(deadPort);
    const query = pool.query("select 1 as one");
    await sleep(200);
    proxy.redirect(on.server.connection().port);
    expect((await query).rows).toEqual([{ one: 1 }]);
  });
});

describe("terminated sessions", () => {
  const terminate = () =>
    on.admin.query("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'shop_app'");

  it("of all checked-out clients raise no uncaught exception, and the next check-out works", async () => {
    const pool = on.pool({ max: 3 });
    const clients = await Promise.all([1, 2, 3].map(() => pool.connect()));
    await clients[1]?.query("begin");
    const ends = expect(clients[2]?.query("select pg_sleep(20)")).rejects.toThrow();
    await terminate();
    await ends;
    await sleep(50);
    for (const client of clients) client.release();
    expect((await pool.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
    expect(pool.stats).toMatchObject({ used: 0, total: 1 });
  });

  it("of Kysely's transactions leave no client behind", async () => {
    const pool = on.pool({ max: 3 });
    const database = kyselyOn<{ items: { id: number; name: string } }>(pool);
    const gates = [1, 2, 3].map(() => Promise.withResolvers<void>());
    const transactions = gates.map(({ promise }, index) =>
      database.transaction().execute(async (transaction) => {
        await transaction
          .insertInto("items")
          .values({ id: 100 + index, name: "lost" })
          .execute();
        await promise;
      }),
    );
    await expect.poll(() => pool.stats.used).toBe(3);
    await sleep(100);
    await terminate();
    for (const { resolve } of gates) resolve();
    const results = await Promise.allSettled(transactions);
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    expect(pool.stats.used).toBe(0);
    expect(await database.selectFrom("items").select("id").where("name", "=", "lost").execute()).toEqual([]);
  });

  it("of idle clients cost no statement", async () => {
    const pool = on.pool({ max: 3 });
    await Promise.all([1, 2, 3].map(() => pool.query("select pg_sleep(0.05)")));
    await terminate();
    await expect.poll(() => pool.stats.total).toBe(0);
    await pool.query("insert into writes (key) values ('idle-1')");
    expect(await on.written("idle-")).toEqual(new Map([["idle-1", 1]]));
  });

  it("of a statement that may write are reported as unknown", async () => {
    const pool = on.pool({ max: 1 });
    const running = pool.query("select pg_sleep(20)");
    const failed = expect(running).rejects.toThrow(OutcomeUnknownError);
    await expect
      .poll(
        async () =>
          (
            await on.admin.query(
              "select from pg_stat_activity where query like '%pg_sleep(20)%' and usename = 'shop_app'",
            )
          ).rowCount,
      )
      .toBe(1);
    await terminate();
    await failed;
  });
});

describe("an error that would occur again", () => {
  it("because the role is read-only ends the statement and the transaction, and closes no client", async () => {
    const { port } = on.server.connection();
    await on.admin.query("alter role shop_app in database shop set default_transaction_read_only = on");
    try {
      const pool = on.pool(servers([port], { targetSessionAttrs: "primary", max: 3, retryLimitMs: 3_000 }));
      await Promise.all([1, 2, 3].map(() => pool.query("select pg_sleep(0.05)")));
      let demoted = 0;
      pool.on("demoted", () => {
        demoted += 1;
      });
      const insert = "insert into writes values ('read-only-1')";
      await expect(pool.query(insert)).rejects.toMatchObject({ code: "25006" });
      await expect(pool.transaction((each) => each.query(insert))).rejects.toMatchObject({ code: "25006" });
      expect(demoted).toBe(0);
      expect(pool.stats).toMatchObject({ connects: 3, total: 3, retries: 0 });
    } finally {
      await on.admin.query("alter role shop_app in database shop reset default_transaction_read_only");
    }
  });

  it("because a transaction takes too long ends it with the server's error", async () => {
    const runs: string[] = [];
    const limits = { retryLimitMs: 3_000, transactionTimeoutMs: 200, idleInTransactionTimeoutMs: 100 };
    const pool = on.pool(limits);
    const idle = pool.transaction(async (transaction) => {
      runs.push("idle");
      await transaction.query("select 1");
      await sleep(300);
      await transaction.query("select 1");
    });
    await expect(idle).rejects.toMatchObject({ code: "25P03" });
    const returning = pool.transaction(async (transaction) => {
      runs.push("returning");
      await transaction.query("insert into writes values ('too-long-1')");
      await sleep(300);
    });
    await expect(returning).rejects.toMatchObject({ code: "25P03" });
    const own = pool.transaction(async (transaction) => {
      runs.push("own");
      await transaction.query("select 1");
      await sleep(300);
      throw new Error("the function's own");
    });
    await expect(own).rejects.toThrow("the function's own");
    const { rows } = await on.admin.query("select current_setting('server_version_num')::int >= 170000 as limits");
    if (rows[0]?.limits) {
      const long = pool.transaction((transaction) => transaction.query("select pg_sleep(2)"));
      await expect(long).rejects.toMatchObject({ code: "25P04" });
      const read = pool.query({ text: "select pg_sleep(2)", readOnly: true });
      await expect(read).rejects.toMatchObject({ code: "25P04" });
    }
    expect(runs).toEqual(["idle", "returning", "own"]);
    expect(pool.stats.retries).toBe(0);
    expect(await on.written("too-long-")).toEqual(new Map());
  });
});

describe("several hosts", () => {
  it("are tried in order, and one that refuses connections costs nothing", async () => {
    const { port } = on.server.connection();
    const pool = on.pool(servers([deadPort, port], { targetSessionAttrs: "read-write", connectionTimeoutMs: 3_000 }));
    const started = performance.now();
    expect((await pool.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
    expect(performance.now() - started).toBeLessThan(2_500);
  });

  it("are tried further if one is starting up", async () => {
    const { port } = on.server.connection();
    const starting = await startingServer();
    const pool = on.pool(servers([starting, port], { targetSessionAttrs: "read-write", connectionTimeoutMs: 3_000 }));
    expect((await pool.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
    const only = on.pool(servers([starting], { connectionTimeoutMs: 1_500 }));
    await expect(only.query("select 1")).rejects.toThrow("the database system is starting up");
  });

  it("are left at once if one refuses the password, as libpq does", async () => {
    const { port } = on.server.connection();
    const pool = on.pool(servers([port, port], { password: "wrong", connectionTimeoutMs: 5_000 }));
    const started = performance.now();
    await expect(pool.query("select 1")).rejects.toThrow('password authentication failed for user "shop_app"');
    expect(performance.now() - started).toBeLessThan(4_500);
    expect(pool.stats.connectAttempts).toBe(1);
  });

  it("without a standby are used on the second pass of prefer-standby, and refused for standby", async () => {
    const { port } = on.server.connection();
    const prefer = on.pool(servers([deadPort, port], { targetSessionAttrs: "prefer-standby" }));
    expect((await prefer.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
    const only = on.pool(servers([port], { targetSessionAttrs: "standby", connectionTimeoutMs: 1_500 }));
    await expect(only.query("select 1")).rejects.toThrow("is a primary");
  });
});
