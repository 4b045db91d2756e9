import { Writable } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Pool } from "../../../../scripts/client/pool.ts";
import { type PoolServer, startPoolServer } from "./pool-server.ts";

let on: PoolServer;
beforeAll(async () => {
  on = await startPoolServer();
});
afterAll(() => on.stop());

/** Runs this many statements at the same time. */
const runTogether = (pool: Pool, count: number) =>
  Promise.all(Array.from({ length: count }, () => pool.query("select pg_sleep(0.2)")));

describe("the size of a pool", () => {
  it.each([
    ["options", { max: 4, min: 2 }],
    ["the environment", { env: { DB_MAX_OPEN_CONNS: "4", DB_MAX_IDLE_CONNS: "2" } }],
  ])("grows to its maximum, and shrinks to its minimum after the idle timeout, by %s", async (_, options) => {
    const pool = on.pool({ ...options, idleTimeoutMs: 300 });
    await pool.query("select 1");
    expect(pool.stats.total).toBe(1);
    await runTogether(pool, 8);
    expect(pool.stats).toMatchObject({ max: 4, total: 4, connects: 4 });
    await expect.poll(() => pool.stats.total, { timeout: 10_000 }).toBe(2);
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(pool.stats).toMatchObject({ total: 2, idle: 2, connects: 4 });
  });
});

describe("the lifetime of a client", () => {
  it("is spread by 10 %, so that not all are replaced at once", async () => {
    const pool = on.pool({ max: 6, maxLifetimeMs: 100_000 });
    const clients = await Promise.all(Array.from({ length: 6 }, () => pool.connect()));
    const now = performance.now();
    const left = clients.map(({ expiresAt }) => expiresAt - now);
    for (const client of clients) client.release();
    expect(Math.min(...left)).toBeGreaterThan(85_000);
    expect(Math.max(...left)).toBeLessThanOrEqual(100_000);
    expect(Math.max(...left) - Math.min(...left)).toBeGreaterThan(100);
  });

  it("ends also while it is idle, and no statement fails", async () => {
    const pool = on.pool({ max: 2, maxLifetimeMs: 2_000 });
    await pool.query("select 1");
    // A client that is too old when it is returned is closed then.
    expect(pool.stats.total).toBe(1);
    await expect.poll(() => pool.stats.total, { timeout: 10_000 }).toBe(0);
    expect((await pool.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
    expect(pool.stats).toMatchObject({ connects: 2, retries: 0 });
  });
});

describe("a pool whose budget for repetitions is empty", () => {
  it("repeats neither a transaction nor a statement", async () => {
    const pool = on.pool({ max: 2, retriesPerSecond: 0, applicationName: "no budget" });
    let runs = 0;
    const conflict = pool.transaction(async () => {
      runs += 1;
      throw Object.assign(new Error("conflict"), { code: "40001" });
    });
    await expect(conflict).rejects.toThrow("conflict");
    const reading = pool.query({ text: "select pg_sleep(20)", readOnly: true });
    const lost = expect(reading).rejects.toThrow();
    const terminated = async () => {
      const { rows } = await on.admin.query<{ ended: boolean }>(
        "select pg_terminate_backend(pid) as ended from pg_stat_activity where application_name = 'no budget' and query like '%pg_sleep(20)'",
      );
      return rows.length;
    };
    await expect.poll(terminated).toBe(1);
    await lost;
    expect([runs, pool.stats.retries]).toEqual([1, 0]);
  });
});

describe("backpressure", () => {
  it("lets a stream read only the batches that its consumer takes", async () => {
    const proxy = await on.proxy();
    const pool = on.pool({ max: 1 }, proxy.port);
    await pool.query("select 1");
    let rows = 0;
    proxy.decide(({ from, type }) => {
      if (from === "server" && type === "D") rows += 1;
      return "pass";
    });
    const reading = pool.stream("select x from generate_series(1, 100000) as x", [], { batchSize: 10 });
    for (let read = 0; read < 15; read += 1) await reading.next();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(rows).toBe(20);
    await reading.return?.();
    expect(pool.stats.used).toBe(0);
  });

  it("lets the server of a COPY wait for its target", async () => {
    const pool = on.pool({ max: 1, applicationName: "slow target" });
    const abort = new AbortController();
    const target = new Writable({ highWaterMark: 1, write: () => {} });
    const copying = pool.copyTo(
      "copy (select repeat('x', 1000) from generate_series(1, 100000)) to stdout",
      target,
      abort,
    );
    const ended = expect(copying).rejects.toMatchObject({ name: "AbortError" });
    const waitsFor = async () => {
      const { rows } = await on.admin.query<{ wait: string }>(
        "select wait_event as wait from pg_stat_activity where application_name = 'slow target' and query like 'copy%'",
      );
      return rows[0]?.wait;
    };
    await expect.poll(waitsFor, { timeout: 10_000 }).toBe("ClientWrite");
    abort.abort();
    await ended;
  });
});
