import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { type Kysely, sql } from "kysely";
import type { Client } from "pg";
import Cursor from "pg-cursor";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { HeldClient } from "../../../../scripts/client/checkouts.ts";
import { requestContext, withRequestContext } from "../../../../scripts/client/context.ts";
import {
  PoolClosedError,
  PoolStarvationError,
  PoolTimeoutError,
  RolledBackError,
  UnfinishedWorkError,
} from "../../../../scripts/client/errors.ts";
import { kyselyOn, kyselyTransaction } from "../../../../scripts/client/kysely.ts";
import type { Server } from "../../../../scripts/client/servers/servers.ts";
import { type PoolServer, startPoolServer } from "./pool-server.ts";
import { useAtRandom } from "./random-use.ts";

let on: PoolServer;
beforeAll(async () => {
  on = await startPoolServer();
});
afterAll(() => on.stop());

interface Tables {
  items: { id: number; name: string; price: string };
}

/** Line of a call in this file, as reports name it. */
const here = import.meta.filename;

describe("failing statements", () => {
  it("open no new connection", async () => {
    const pool = on.pool({ max: 1 });
    for (let index = 0; index < 100; index += 1)
      await expect(pool.query("select 1 / 0")).rejects.toThrow("division by zero");
    expect(pool.stats).toMatchObject({ connects: 1, discarded: 0, used: 0 });
  });
});

describe("a statement", () => {
  it("takes its values after an object, too, as the driver and Drizzle do", async () => {
    const pool = on.pool({ max: 1 });
    const array = await pool.query({ text: "select $1::text as x", rowMode: "array" }, ["tea"]);
    expect(array.rows).toEqual([["tea"]]);
    expect((await pool.query({ text: "select $1::text as x", values: ["tea"] })).rows).toEqual([{ x: "tea" }]);
  });
});

describe("a call of the driver's pool that this pool does not have", () => {
  it("is refused before anything is sent", async () => {
    const pool = on.pool({ max: 1 }) as unknown as Record<
      "query" | "connect" | "end",
      (...given: unknown[]) => unknown
    >;
    const callback = () => {};
    const insert = "insert into writes values ('refused-1')";
    const cursor = new Cursor(insert);
    for (const call of [
      () => pool.query(insert, callback),
      () => pool.query(insert, [], callback),
      () => pool.query({ text: insert }, callback),
      () => pool.connect(callback),
      () => pool.end(callback),
    ])
      await expect(call()).rejects.toThrow("takes no callback");
    await expect(pool.query(cursor)).rejects.toThrow("takes no query object");
    expect(await on.written("refused-")).toEqual(new Map());
  });

  it("is not needed for type parsers of one statement", async () => {
    const pool = on.pool();
    const types = { getTypeParser: () => (text: string) => `<${text}>` };
    const statement = { text: "select 1::int8 as big, $1::text as small", values: ["x"], types };
    expect((await pool.query(statement)).rows).toEqual([{ big: "<1>", small: "<x>" }]);
    expect((await pool.transaction((each) => each.query(statement))).rows).toEqual([{ big: "<1>", small: "<x>" }]);
  });
});

describe("a transaction function", () => {
  it("that ignores a failed statement is rejected as rolled back, with that error as the cause", async () => {
    const pool = on.pool();
    const done = pool.transaction(async (transaction) => {
      await transaction.query("insert into items (id, name) values (1, 'ignored')");
      await transaction.query("select 1 / 0").catch(() => {});
      return "done";
    });
    const error = (await done.catch((thrown: unknown) => thrown)) as Error;
    expect(error).toBeInstanceOf(RolledBackError);
    expect(error.cause).toMatchObject({ code: "22012" });
    const database = kyselyOn<Tables>(pool);
    const second = database.transaction().execute(async (transaction) => {
      await transaction.insertInto("items").values({ id: 1, name: "ignored", price: "0" }).execute();
      await transaction
        .insertInto("items")
        .values({ id: 1, name: "twice", price: "0" })
        .execute()
        .catch(() => {});
    });
    await expect(second).rejects.toThrow(RolledBackError);
    expect((await pool.query("select from items")).rowCount).toBe(0);
    expect(pool.stats.used).toBe(0);
  });

  it("names the ignored error of a statement that was not awaited, of Kysely, and of a savepoint", async () => {
    const pool = on.pool({ max: 1 });
    const ignored = { cause: { code: "22012" } };
    const unawaited = pool.transaction(async (transaction) => {
      void transaction.query("select 1 / 0").catch(() => {});
    });
    await expect(unawaited).rejects.toMatchObject(ignored);
    const ofKysely = kyselyTransaction<Tables, void>(pool, async (database) => {
      await sql`select 1 / 0`.execute(database).catch(() => {});
    });
    await expect(ofKysely).rejects.toMatchObject(ignored);
    const ofItsOwn = kyselyOn<Tables>(pool).transaction();
    const divided = ofItsOwn.execute(async (database) => {
      await sql`select 1 / 0`.execute(database).catch(() => {});
      await sql`select 1`.execute(database).catch(() => {});
    });
    await expect(divided).rejects.toMatchObject(ignored);
    await pool.transaction(async (transaction) => {
      const inner = transaction.savepoint(async () => {
        await transaction.query("select 1 / 0").catch(() => {});
      });
      await expect(inner).rejects.toMatchObject(ignored);
      await expect(inner).rejects.toThrow(RolledBackError);
    });
    const later = pool.transaction(async (transaction) => {
      await transaction.query("select 1 / 0").catch(() => {});
      await transaction.query("select 1");
    });
    await expect(later).rejects.toMatchObject({ code: "25P02", ...ignored });
  });

  it("is repeated after a serialization failure and a deadlock, and Kysely's in a pool transaction, too", async () => {
    const pool = on.pool();
    for (const code of ["40001", "40P01"]) {
      let runs = 0;
      const result = await kyselyTransaction<Tables, number>(
        pool,
        async () => {
          runs += 1;
          if (runs === 1) throw Object.assign(new Error("conflict"), { code });
          return runs;
        },
        { isolation: "serializable" },
      );
      expect(result).toBe(2);
    }
    let runs = 0;
    const failing = pool.transaction(
      async () => {
        runs += 1;
        throw Object.assign(new Error("conflict"), { code: "40001" });
      },
      { retry: false },
    );
    await expect(failing).rejects.toThrow("conflict");
    expect(runs).toBe(1);
  });

  it("keeps what came before a failed savepoint", async () => {
    const pool = on.pool();
    const { rows } = await pool.transaction(async (transaction) => {
      const insert = "insert into items (id, name) values ($1, 'savepoint')";
      await transaction.savepoint((inner) => inner.query(insert, [9]));
      await transaction.savepoint((inner) => inner.query(insert, [9])).catch(() => {});
      return transaction.query("select id from items where name = 'savepoint'");
    });
    expect(rows).toEqual([{ id: 9 }]);
  });

  it("sends a batch at once, and all of it is undone if one statement fails", async () => {
    const pool = on.pool();
    const insert = "insert into items (id, name) values ($1, $2)";
    const results = await pool.batch([1, 2, 3].map((id) => ({ text: insert, values: [10 + id, "batch"] })));
    expect(results.map(({ rowCount }) => rowCount)).toEqual([1, 1, 1]);
    const failing = pool.batch([20, 20, 21].map((id) => ({ text: insert, values: [id, "batch"] })));
    await expect(failing).rejects.toMatchObject({ code: "23505" });
    expect((await pool.query("select from items where id >= 20")).rowCount).toBe(0);
    expect((await pool.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
  });
});

describe("a client", () => {
  it("that is returned in a transaction is rolled back, and its user is told", async () => {
    const pool = on.pool({ max: 1 });
    const client = await pool.connect();
    await client.query("begin; insert into items (id, name) values (50, 'open')");
    expect(() => client.release()).toThrow(UnfinishedWorkError);
    const within = pool.withClient((each) => each.query("begin; insert into items (id, name) values (51, 'open')"));
    await expect(within).rejects.toThrow("in a transaction, which was rolled back");
    expect((await pool.query("select from items where id in (50, 51)")).rowCount).toBe(0);
    expect(pool.stats).toMatchObject({ connects: 1, used: 0 });
  });

  it("that is returned while a statement runs is closed, and its user is told", async () => {
    const pool = on.pool({ max: 1 });
    const client = await pool.connect();
    const running = client.query("select pg_sleep(5)").catch((error: Error) => error);
    expect(() => client.release()).toThrow("while a statement was running");
    expect(await running).toBeInstanceOf(Error);
    expect((await pool.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
    expect(() => client.release()).toThrow("a second time");
  });

  it("leaves nothing in its session for the next user", async () => {
    const pool = on.pool({ max: 1 });
    await pool.withClient(async (client) => {
      await client.query("set search_path to pg_catalog; set statement_timeout to '1min'; listen gossip");
      await client.query("select pg_advisory_lock(7)");
    });
    await pool.query("select set_config('app.user_id', 'someone', false)");
    await pool.transaction((transaction) => transaction.query("set work_mem to '77MB'"));
    const { rows } = await pool.query(`
      select current_setting('search_path') as path, current_setting('statement_timeout') as timeout,
        current_setting('app.user_id', true) as user_id, current_setting('work_mem') as work_mem,
        (select count(*)::int from pg_listening_channels()) as channels,
        (select count(*)::int from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()) as locks`);
    expect(rows).toEqual([
      {
        path: '"$user", public',
        timeout: "30s",
        user_id: "",
        work_mem: expect.not.stringMatching("77MB"),
        channels: 0,
        locks: 0,
      },
    ]);
    expect(pool.stats.connects).toBe(1);
  });

  it("leaves no type parsers and listeners for the next user", async () => {
    const pool = on.pool({ max: 1 });
    const heard: string[] = [];
    const spoil = (client: Client, by: string) => {
      client.setTypeParser(20, Number);
      client.on("notice", ({ message }) => heard.push(`${by}: ${message}`));
      client.once("end", () => heard.push(`${by}: end`));
    };
    const client = await pool.connect();
    spoil(client, "connect");
    client.release();
    await pool.withClient(async (each) => spoil(each, "withClient"));
    await pool.transaction(async (transaction) => {
      spoil(transaction.client, "transaction");
      await transaction.query("do $$ begin raise notice 'mine'; end $$");
    });
    expect((await pool.query("select 9007199254740993 as big")).rows).toEqual([{ big: "9007199254740993" }]);
    await pool.query("do $$ begin raise notice 'not mine'; end $$");
    expect(pool.stats.connects).toBe(1);
    await pool.end();
    expect(heard).toEqual(["transaction: mine"]);
  });

  it("that is held too long is reported with the file and line that took it, as held or busy", async () => {
    const pool = on.pool({ max: 3, leakThresholdMs: 150 });
    const reports: (HeldClient & { reclaimed: boolean })[] = [];
    pool.on("leak", (report) => reports.push(report));
    await pool.query("select 'of another user'");
    const held = await pool.connect();
    const busy = await pool.connect();
    const sleeping = busy.query("select pg_sleep(2)");
    await expect.poll(() => reports.length, { interval: 50 }).toBe(2);
    const byState = Object.groupBy(reports, ({ state }) => state);
    expect(byState.held).toHaveLength(1);
    expect(byState.busy).toHaveLength(1);
    const line = /:(\d+):\d+$/.exec(byState.held?.[0]?.takenAt ?? "")?.[1];
    expect(byState.held?.[0]?.takenAt.startsWith(here)).toBe(true);
    const source = (await readFile(here, "utf8")).split("\n");
    expect(source[Number(line) - 1]).toBe("    const held = await pool.connect();");
    expect(byState.held?.[0]?.statement).toBeUndefined();
    expect(byState.busy?.[0]?.statement).toBe("select pg_sleep(2)");
    await sleeping;
    held.release();
    busy.release();
    expect(reports.every(({ reclaimed }) => !reclaimed)).toBe(true);
  });

  it("that leaked is reclaimed if the pool is told to, but never while a statement runs", async () => {
    const pool = on.pool({ max: 2, leakThresholdMs: 100, reclaimLeaks: true });
    const held = await pool.connect();
    const busy = await pool.connect();
    const sleeping = busy.query("select pg_sleep(2)");
    await expect.poll(() => pool.stats.used).toBe(1);
    await expect(held.query("select 1")).rejects.toThrow();
    await sleeping;
    held.release();
    busy.release();
    await Promise.all([pool.query("select 1"), pool.query("select 1")]);
    expect(pool.stats.used).toBe(0);
  });

  it("of a returned transaction is not reported late as a leak after the process paused", async () => {
    const pool = on.pool({ leakThresholdMs: 200 });
    let reports = 0;
    pool.on("leak", () => {
      reports += 1;
    });
    const client = await pool.connect();
    const until = performance.now() + 700;
    while (performance.now() < until);
    client.release();
    await sleep(150);
    expect(reports).toBe(0);
  });
});

describe("a pool without a free client", () => {
  it("detects requests that hold one and wait for another, and names the holders", async () => {
    const pool = on.pool({ max: 2, connectionTimeoutMs: 20_000 });
    const started = performance.now();
    const nested = () =>
      pool.transaction(async (transaction) => {
        await transaction.query("select pg_sleep(0.1)");
        return (await pool.query("select 1 as one")).rows;
      });
    const results = await Promise.allSettled([nested(), nested()]);
    expect(performance.now() - started).toBeLessThan(10_000);
    const rejected = results.filter((result) => result.status === "rejected");
    expect(rejected).toHaveLength(1);
    expect(rejected[0]?.reason).toBeInstanceOf(PoolStarvationError);
    expect(String(rejected[0]?.reason).split(here)).toHaveLength(3);
    expect(results.find((result) => result.status === "fulfilled")?.value).toEqual([{ one: 1 }]);
  });

  it.each(["a transaction", "a connection", "a transaction with a schema"])(
    "detects that %s of Kysely waits for another client, and names the holders",
    async (what) => {
      const pool = on.pool({ max: 2, connectionTimeoutMs: 20_000 });
      const database = kyselyOn<Tables>(pool);
      const held = what.includes("schema") ? database.withSchema("public") : database;
      const work = async (own: Kysely<Tables>) => {
        await sql`select pg_sleep(0.1)`.execute(own);
        return (await sql`select 1 as one`.execute(database)).rows;
      };
      const nested = () =>
        what === "a connection" ? held.connection().execute(work) : held.transaction().execute(work);
      const results = await Promise.allSettled([nested(), nested()]);
      const rejected = results.filter((result) => result.status === "rejected");
      expect(rejected).toMatchObject([{ reason: expect.any(PoolStarvationError) }]);
      // Both holders, and the one that asked.
      expect(String(rejected[0]?.reason).split(here)).toHaveLength(4);
      expect(results.find((result) => result.status === "fulfilled")?.value).toEqual([{ one: 1 }]);
      expect(pool.stats).toMatchObject({ used: 0, waiting: 0 });
    },
  );

  it("refuses no request that holds nothing, or whose transaction of Kysely has ended", async () => {
    const pool = on.pool({ max: 1, connectionTimeoutMs: 20_000 });
    const database = kyselyOn<Tables>(pool);
    const one = sql<{ one: number }>`select 1 as one`;
    // Work that a transaction leaves behind outlives its client.
    const gate = Promise.withResolvers<void>();
    const later = await database.transaction().execute(async (transaction) => {
      await one.execute(transaction);
      return { done: gate.promise.then(() => one.execute(database)) };
    });
    const client = await pool.connect();
    gate.resolve();
    const others = [1, 2, 3].map(() => database.transaction().execute((transaction) => one.execute(transaction)));
    await sleep(50);
    client.release();
    const results = await Promise.all([later.done, ...others]);
    expect(results.map(({ rows }) => rows)).toEqual(Array(4).fill([{ one: 1 }]));
  });

  it("ends Kysely alone when it is destroyed", async () => {
    const pool = on.pool({ max: 1 });
    const database = kyselyOn<Tables>(pool);
    await sql`select 1`.execute(database);
    await database.destroy();
    await expect(sql`select 1`.execute(database)).rejects.toThrow("already been destroyed");
    expect((await pool.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
  });

  it("lists its holders when a request gives up", async () => {
    const pool = on.pool({ max: 1, connectionTimeoutMs: 1_500 });
    const client = await pool.connect();
    const error = (await pool.query("select 1").catch((thrown: unknown) => thrown)) as Error;
    expect(error).toBeInstanceOf(PoolTimeoutError);
    expect(error.message).toContain("1 of 1 in use");
    expect(error.message).toContain(here);
    client.release();
    expect((await pool.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
  });

  it("waits as long as it takes with connectionTimeoutMs: 0", async () => {
    const pool = on.pool({ max: 1, connectionTimeoutMs: 0 });
    const client = await pool.connect();
    const waiting = pool.query("select 1 as one");
    await sleep(50);
    client.release();
    expect((await waiting).rows).toEqual([{ one: 1 }]);
  });

  it("lets a request leave the queue by its signal", async () => {
    const pool = on.pool({ max: 1 });
    const client = await pool.connect();
    const waiting = pool.query({ text: "select 1", signal: AbortSignal.timeout(50) });
    await expect(waiting).rejects.toMatchObject({ name: "TimeoutError" });
    expect(pool.stats.waiting).toBe(0);
    client.release();
  });
});

describe("a request's context", () => {
  const who = "select current_setting('app.user_id', true) as user, current_setting('app.request_id', true) as request";

  it("reaches statements, transactions and Kysely, and never the next request", async () => {
    const pool = on.pool({ max: 1 });
    const database = kyselyOn<Tables>(pool);
    const seen = await withRequestContext({ userId: "u1", requestId: "r1" }, async () => [
      (await pool.query(who)).rows[0],
      (await pool.transaction((transaction) => transaction.query(who))).rows[0],
      await withRequestContext({ userId: "u2" }, async () => (await pool.query(who)).rows[0]),
      (await pool.withClient((client) => client.query(who))).rows[0],
      await database.transaction().execute(async (transaction) => {
        return (await sql`${sql.raw(who)}`.execute(transaction)).rows[0];
      }),
      requestContext()?.userId,
    ]);
    const first = { user: "u1", request: "r1" };
    expect(seen).toEqual([first, first, { user: "u2", request: "r1" }, first, first, "u1"]);
    expect((await pool.query(who)).rows).toEqual([{ user: "", request: "" }]);
    expect((await pool.transaction((transaction) => transaction.query(who))).rows).toEqual([{ user: "", request: "" }]);
  });

  it.each([false, true])("is in application_name for its statements (pooled: %s)", async (pooled) => {
    const pool = on.pool({ max: 1, pooled, applicationName: "shop" });
    const name = { text: "select current_setting('application_name') as name", readOnly: true };
    const named = async () => [
      (await pool.query(name)).rows[0]?.name,
      (await pool.transaction((transaction) => transaction.query(name.text))).rows[0]?.name,
    ];
    const twice = (text: string) => [text, text];
    const full = { apiKeyId: "k1", adminUserId: "a1", userId: "u1", requestId: "r1" };
    expect(await withRequestContext(full, named)).toEqual(twice("shop request=r1 user=u1 admin=a1 key=k1"));
    expect(await withRequestContext({ requestId: "r'2; --" }, named)).toEqual(twice("shop request=r'2; --"));
    expect(await withRequestContext({ clientIp: "10.0.0.1" }, named)).toEqual(twice("shop"));
    expect(await named()).toEqual(twice("shop"));
    expect(pool.stats.connects).toBe(1);
  });

  it("reaches each setting that a database reads", async () => {
    const pool = on.pool({ max: 1 });
    const context = { sessionId: "s1", clientIp: "10.0.0.7", apiKeyId: "k1", adminUserId: "a1" };
    const { rows } = await withRequestContext(context, () =>
      pool.query(`select current_setting('app.session_id') as session, current_setting('app.client_ip') as ip,
        current_setting('app.api_key_id') as key, current_setting('app.admin_user_id') as admin`),
    );
    expect(rows).toEqual([{ session: "s1", ip: "10.0.0.7", key: "k1", admin: "a1" }]);
  });

  it("is in every message of the pool's channels and in the report of a leak", async () => {
    const heard: { channel: string; message: Record<string, unknown> }[] = [];
    const names = ["checkout", "return", "connect", "retry", "leak", "demoted"] as const;
    for (const name of names) {
      const listener = (message: unknown) => heard.push({ channel: name, message: message as Record<string, unknown> });
      subscribe(`pgroundwork:client:${name}`, listener);
      onTestFinished(() => void unsubscribe(`pgroundwork:client:${name}`, listener));
    }
    // A pool that a request creates belongs to all of them.
    const pool = withRequestContext({ requestId: "creator" }, () =>
      on.pool({ max: 2, leakThresholdMs: 50, targetSessionAttrs: "primary" }),
    );
    const leaks: HeldClient[] = [];
    pool.on("leak", (report) => leaks.push(report));
    const context = { requestId: "r1" };
    await withRequestContext(context, async () => {
      const client = await pool.connect();
      await expect.poll(() => leaks.length).toBe(1);
      client.release();
      pool.settings.leakThresholdMs = 0;
      let runs = 0;
      await pool.transaction(async () => {
        runs += 1;
        if (runs === 1) throw Object.assign(new Error("conflict"), { code: "40001" });
      });
      pool.servers.lostRole(pool.servers.servers[0] as Server);
    });
    const ours = heard.filter(({ message }) => message.pool === pool);
    const fields = Object.fromEntries(
      ours.map(({ channel, message: { pool: _, ...message } }) => [channel, message] as const),
    );
    const ms = expect.any(Number);
    const { host, port } = on.server.as("app", "shop");
    expect(fields).toEqual({
      checkout: { waitMs: ms, kind: "transaction", context },
      return: { useMs: ms, kind: "transaction", context },
      connect: { host, port, createMs: ms, context },
      retry: { attempt: 1, error: expect.any(Error), context },
      leak: { ...leaks[0], reclaimed: false },
      demoted: { host, port, context },
    });
    expect(leaks[0]).toEqual({
      ...{ kind: "client", state: "held", heldMs: ms, takenAt: expect.stringContaining(here), reclaimed: false },
      ...{ statement: undefined, pid: ms, context },
    });
  });

  it("lasts for one transaction if the pool is behind a pooler", async () => {
    const pool = on.pool({ max: 1, pooled: true });
    const seen = await withRequestContext({ userId: "u3" }, async () => (await pool.query(who)).rows[0]);
    expect(seen).toMatchObject({ user: "u3" });
    expect((await pool.query("select current_setting('app.user_id', true) as user")).rows).toEqual([{ user: "" }]);
  });
});

it("a pool that is used at random, with errors, aborts and cut connections, leaks nothing and writes once", async () => {
  await useAtRandom(on, 300, Math.random);
});

describe("closing a pool", () => {
  it("waits for clients in use, refuses new requests, and closes every connection", async () => {
    const pool = on.pool({ max: 2, applicationName: "draining" });
    const running = pool.query("select pg_sleep(0.2), 1 as one");
    await expect.poll(() => pool.stats.used).toBe(1);
    const ended = pool.end();
    await expect(pool.query("select 1")).rejects.toThrow(PoolClosedError);
    expect((await running).rows).toMatchObject([{ one: 1 }]);
    expect(await ended).toEqual([]);
    const open = "select from pg_stat_activity where application_name = 'draining'";
    await expect.poll(async () => (await on.admin.query(open)).rowCount).toBe(0);
  });

  it("names the clients that are not returned in time", async () => {
    const pool = on.pool();
    await pool.connect();
    const [held] = await pool.end({ timeoutMs: 50 });
    expect(held?.takenAt.startsWith(here)).toBe(true);
  });

  it("waits for a client that is being reset, and closes it", async () => {
    const pool = on.pool();
    await pool.query("select 1");
    await pool.query("select set_config('app.x', 'y', false)");
    const started = performance.now();
    await pool.end();
    expect(performance.now() - started).toBeLessThan(1_500);
    expect(pool.stats.total).toBe(0);
  });

  it("is the same for a second caller, who can shorten the wait", async () => {
    const pool = on.pool();
    const client = await pool.connect();
    const ended = [pool.end(), pool.end()];
    let done = 0;
    for (const each of ended) void each.then(() => (done += 1));
    await sleep(50);
    expect(done).toBe(0);
    const held = await pool.end({ timeoutMs: 0 });
    expect(held).toHaveLength(1);
    expect(await Promise.all(ended)).toEqual([held, held]);
    expect(() => client.release()).not.toThrow();
  });

  it("cancels the statements that still run", async () => {
    const pool = on.pool({ applicationName: "running at the end" });
    const running = pool.query("select pg_sleep(120)");
    running.catch(() => {});
    await expect.poll(() => pool.checkouts.all.size).toBe(1);
    await sleep(50);
    await pool.end({ timeoutMs: 0 });
    await expect(running).rejects.toThrow();
    const active = "select from pg_stat_activity where application_name = 'running at the end' and state = 'active'";
    await expect.poll(async () => (await on.admin.query(active)).rowCount, { timeout: 5_000 }).toBe(0);
  });
});

describe("health and metrics", () => {
  it("count waiting requests, timeouts, repetitions and leaks, and measure use and connecting", async () => {
    const { Registry } = await import("prom-client");
    const { registerPoolMetrics } = await import("../../../../scripts/client/metrics.ts");
    const registry = new Registry();
    const pool = on.pool({ max: 1, leakThresholdMs: 50, connectionTimeoutMs: 1_000 });
    const remove = await registerPoolMetrics(pool, registry, "all");
    const value = async (name: string) =>
      Number(
        new RegExp(`^${name}\\{db_client_connection_pool_name="all"\\} (.*)$`, "m").exec(await registry.metrics())?.[1],
      );
    const client = await pool.connect();
    const waiting = pool.query("select 1").catch((error: unknown) => error);
    await expect.poll(() => value("db_client_connection_pending_requests")).toBe(1);
    expect(await waiting).toBeInstanceOf(PoolTimeoutError);
    client.release();
    let runs = 0;
    await pool.transaction(async () => {
      runs += 1;
      if (runs === 1) throw Object.assign(new Error("conflict"), { code: "40001" });
    });
    expect(await value("db_client_connection_pending_requests")).toBe(0);
    expect(await value("db_client_connection_timeouts_total")).toBe(1);
    expect(await value("pgroundwork_client_retries_total")).toBe(1);
    expect(await value("pgroundwork_client_leaks_total")).toBeGreaterThanOrEqual(1);
    expect(await value("db_client_connection_create_time_seconds_count")).toBe(1);
    expect(await value("db_client_connection_use_time_seconds_count")).toBe(3);
    expect(await value("db_client_connection_use_time_seconds_sum")).toBeGreaterThan(1);
    remove();
  });

  it("describe the pool, its servers and its waiting requests", async () => {
    const { Registry } = await import("prom-client");
    const { registerPoolMetrics } = await import("../../../../scripts/client/metrics.ts");
    const pool = on.pool({ max: 3 });
    const registry = new Registry();
    const remove = await registerPoolMetrics(pool, registry, "shop");
    expect(await pool.health()).toMatchObject({ ok: true, servers: [{ role: "primary" }], pool: { idle: 1, max: 3 } });
    const text = await registry.metrics();
    const shop = 'db_client_connection_pool_name="shop"';
    expect(text).toContain(`db_client_connection_count{${shop},db_client_connection_state="idle"} 1`);
    expect(text).toContain(`db_client_connection_wait_time_seconds_count{${shop}} 1`);
    expect(text).toContain(`db_client_connection_max{${shop}} 3`);
    const conventions: Record<string, unknown> = await import("@opentelemetry/semantic-conventions/incubating");
    const known = Object.values(conventions).filter((each) => typeof each === "string");
    const named = [...text.matchAll(/^# TYPE (db_\w+) /gm), ...text.matchAll(/[{,](\w+)="(?:shop|idle)"/g)];
    const plain = named.map(([, name = ""]) => name.replace(/_(total|seconds)$/, ""));
    expect(plain.filter((name) => !known.some((each) => each.replaceAll(".", "_") === name))).toEqual([]);
    remove();
    expect(await registry.metrics()).not.toContain("db_client");
    const gone = on.pool({ connectionTimeoutMs: 100 }, 1);
    expect(await gone.health(500)).toMatchObject({ ok: false, error: expect.stringContaining("Cannot connect") });
  });
});
