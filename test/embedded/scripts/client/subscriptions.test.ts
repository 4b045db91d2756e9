import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { PoolClosedError } from "../../../../scripts/client/errors.ts";
import type { SubscriptionOptions } from "../../../../scripts/client/listen.ts";
import { type PoolServer, startPoolServer } from "./pool-server.ts";

let on: PoolServer;
beforeAll(async () => {
  on = await startPoolServer();
});
afterAll(() => on.stop());
afterEach(() => vi.restoreAllMocks());

/** Counts the sessions of an application. */
async function sessions(applicationName: string): Promise<number> {
  const { rows } = await on.admin.query<{ n: number }>(
    "select count(*)::int as n from pg_stat_activity where application_name = $1",
    [applicationName],
  );
  return rows[0]?.n ?? 0;
}

const nothing: SubscriptionOptions = { onNotification: () => {} };

describe("a subscription", () => {
  it("survives lost connections, and reports each beginning", async () => {
    const proxy = await on.proxy();
    const pool = on.pool({ max: 1 }, proxy.port);
    const received: string[] = [];
    let beginnings = 0;
    const subscription = await pool.listen("news", {
      onNotification: (payload) => received.push(payload),
      onConnect: () => {
        beginnings += 1;
      },
    });
    await pool.query("select pg_notify('news', 'one')");
    await expect.poll(() => received).toEqual(["one"]);
    proxy.cutAll();
    await expect.poll(() => beginnings).toBe(2);
    await pool.query("select pg_notify('news', 'two')");
    await expect.poll(() => received).toEqual(["one", "two"]);
    await subscription.stop();
    await pool.query("select pg_notify('news', 'three')");
    await sleep(50);
    expect(received).toEqual(["one", "two"]);
  });
});

describe("subscriptions that begin at the same time", () => {
  it("share one connection, and each one reports its beginning", async () => {
    const pool = on.pool({ applicationName: "listening together" });
    const received: string[] = [];
    const begun: string[] = [];
    const names = ["one", "two", "three"];
    const subscribe = (name: string) =>
      pool.listen(name, { onNotification: (payload) => received.push(payload), onConnect: () => begun.push(name) });
    await Promise.all(names.map(subscribe));
    await subscribe("four");
    expect(begun.toSorted()).toEqual(["four", "one", "three", "two"]);
    for (const name of [...names, "four"]) await on.admin.query("select pg_notify($1, $1)", [name]);
    await expect.poll(() => received.toSorted()).toEqual(["four", "one", "three", "two"]);
    const { rows } = await on.admin.query(
      "select count(*)::int as n from pg_stat_activity where application_name = 'listening together'",
    );
    expect(rows).toEqual([{ n: 1 }]);
  });
});

describe("subscriptions with the same options", () => {
  it("end one by one", async () => {
    const pool = on.pool();
    const received: string[] = [];
    const options = { onNotification: (payload: string) => received.push(payload) };
    const [first] = await Promise.all([pool.listen("shared", options), pool.listen("shared", options)]);
    await first?.stop();
    await first?.stop();
    await pool.query("select pg_notify('shared', 'one')");
    await expect.poll(() => received).toEqual(["one"]);
  });
});

describe("the end of a pool", () => {
  it("closes a subscription that is being opened, and refuses later ones", async () => {
    const applicationName = "listening at the end";
    for (let round = 0; round < 8; round += 1) {
      const pool = on.pool({ applicationName });
      const received: string[] = [];
      const listening = pool.listen("late", { onNotification: (payload) => received.push(payload) });
      listening.catch(() => {});
      await sleep(round * 2);
      await pool.end();
      await on.admin.query("select pg_notify('late', 'unwanted')");
      const [settled] = await Promise.allSettled([listening]);
      if (settled?.status === "rejected") expect(settled.reason).toBeInstanceOf(PoolClosedError);
      await expect(pool.listen("later", nothing)).rejects.toThrow(PoolClosedError);
      await expect(pool.query({ text: "select 1", replica: true })).rejects.toThrow(PoolClosedError);
      await expect.poll(() => sessions(applicationName)).toBe(0);
      expect(received).toEqual([]);
    }
  });

  it("does not wait for a server that is not there", async () => {
    const proxy = await on.proxy();
    proxy.freeze();
    const pool = on.pool({}, proxy.port);
    const listening = pool.listen("frozen", nothing);
    listening.catch(() => {});
    await expect.poll(() => proxy.accepted).toBe(1);
    await pool.end();
    await expect(listening).rejects.toThrow(PoolClosedError);
  });
});

describe("callbacks that throw", () => {
  it("become warnings, and neither the subscription nor the pool notices", async () => {
    const warnings: string[] = [];
    vi.spyOn(process, "emitWarning").mockImplementation((warning) => {
      warnings.push(String(warning));
    });
    const proxy = await on.proxy();
    const pool = on.pool({ leakThresholdMs: 20 }, proxy.port);
    const received: string[] = [];
    let beginnings = 0;
    const fail = (name: string): never => {
      throw new Error(`${name} failed`);
    };
    await pool.listen("thrown", {
      onNotification: (payload) => {
        received.push(payload);
        fail("onNotification");
      },
      onConnect: () => {
        beginnings += 1;
        fail("onConnect");
      },
      onError: async () => fail("onError"),
    });
    await pool.query("select pg_notify('thrown', 'one'), pg_notify('thrown', 'two')");
    await expect.poll(() => received).toEqual(["one", "two"]);
    proxy.cutAll();
    await expect.poll(() => beginnings).toBe(2);
    await pool.query("select pg_notify('thrown', 'three')");
    await expect.poll(() => received).toEqual(["one", "two", "three"]);
    expect(beginnings).toBe(2);
    const reported = once(pool, "leak");
    pool.on("leak", () => fail("leak"));
    const client = await pool.connect();
    await reported;
    client.release();
    await pool.end();
    expect(new Set(warnings)).toEqual(
      new Set([
        "onConnect of a subscription threw an error: onConnect failed",
        "onNotification of a subscription threw an error: onNotification failed",
        "onError of a subscription threw an error: onError failed",
        'A listener for "leak" of a pool threw an error: leak failed',
      ]),
    );
  });
});

describe("listen", () => {
  it("reports a refused password at once, and a server that is away with its error", async () => {
    const refused = on.pool({ password: "wrong" });
    await expect(refused.listen("news", nothing)).rejects.toThrow("password authentication failed");
    const proxy = await on.proxy();
    await proxy.close();
    const away = on.pool({ connectionTimeoutMs: 200 }, proxy.port);
    await expect(away.listen("news", nothing)).rejects.toThrow(/Cannot connect to .* within 200 ms: .*ECONNREFUSED/);
    await proxy.reopen();
    await expect(on.pool().listen("", nothing)).rejects.toThrow("zero-length delimited identifier");
  });

  it("refuses channels on which nothing would arrive", async () => {
    const long = "ü".repeat(32);
    await expect(on.pool().listen(long, nothing)).rejects.toThrow("has 64 bytes, more than 63");
    await expect(on.pool({ pooled: true }).listen("news", nothing)).rejects.toThrow(
      "A pooler in transaction mode does not pass notifications on.",
    );
  });
});
