import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createCache } from "../../../../scripts/client/cache/cache.ts";
import { withRequestContext } from "../../../../scripts/client/context.ts";
import { raceOnCache } from "./cache-race.ts";
import { cacheOn, endListeners, startCacheServer } from "./cache-server.ts";
import type { PoolServer } from "./pool-server.ts";

let on: PoolServer;
beforeAll(async () => {
  on = await startCacheServer();
});
afterAll(() => on.stop());

const nameOf = { text: "select name from items where id = $1", values: [1] };
const rename = (name: string) => on.admin.query("update items set name = $1 where id = 1", [name]);

describe("a cache", () => {
  it("asks the database once for 1,000 callers of an expired result", async () => {
    const cache = await cacheOn(on.pool({ max: 5 }));
    let asked = 0;
    const load = async () => {
      asked += 1;
      await on.admin.query("select pg_sleep(0.05)");
      return asked;
    };
    const read = () => cache.read("count", { ttlMs: 100 }, load);
    expect(await read()).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 110));
    const values = await Promise.all(Array.from({ length: 1_000 }, read));
    expect(new Set(values)).toEqual(new Set([2]));
    expect(asked).toBe(2);
    expect(cache.stats.joined).toBeGreaterThanOrEqual(999);
  });

  it("returns a result again until its table changes, whoever changes it", async () => {
    const cache = await cacheOn(on.pool());
    await rename("before");
    await cache.sync();
    const first = await cache.query(nameOf);
    expect(first).toEqual([{ name: "before" }]);
    expect(await cache.query(nameOf)).toBe(first);
    await rename("after");
    await cache.sync();
    expect(await cache.query(nameOf)).toEqual([{ name: "after" }]);
    expect(cache.stats).toMatchObject({ hits: 1, misses: 2, listening: true });
  });

  it("keeps results of other tables, and finds changes of partitions and TRUNCATE", async () => {
    const cache = await cacheOn(on.pool());
    const items = () => cache.query({ ...nameOf, tables: ["items"] });
    const count = async () => {
      const [row] = await cache.query<{ n: number }>({
        text: "select count(*)::int as n from parted",
        tables: ["parted"],
      });
      return row?.n;
    };
    const kept = await items();
    expect(await count()).toBe(1);
    for (const [change, expected] of [
      ["insert into parted_low values (2, 'two')", 2],
      ["insert into parted_high values (101, 'new')", 3],
      ["update parted_high set name = 'x'; delete from parted_low where id = 2", 2],
      ["truncate parted", 0],
      ["insert into parted values (1, 'one')", 1],
    ] as const) {
      await on.admin.query(change);
      await cache.sync();
      expect([change, await count()]).toEqual([change, expected]);
    }
    expect(await items()).toBe(kept);
  });

  it("does not keep a read that began before a change, even if it ends after a newer one", async () => {
    const cache = await cacheOn(on.pool());
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    await rename("old");
    const load = async () => (await on.admin.query("select name from items where id = 1")).rows[0]?.name;
    const slow = cache.read("name", {}, async () => {
      const name = await load();
      await gate;
      return name;
    });
    // The slow read has the old name before it changes.
    await on.admin.query("select 1");
    await rename("new");
    await cache.sync();
    expect(await cache.read("name", {}, load)).toBe("new");
    release();
    expect(await slow).toBe("old");
    expect(await cache.read("name", {}, load)).toBe("new");
    expect(cache.stats).toMatchObject({ hits: 1 });
  });

  it("keeps the newer of two reads, whichever ends last", async () => {
    const cache = await cacheOn(on.pool());
    const reads = ["older", "newer"].map((value, index) => {
      const { promise, resolve } = Promise.withResolvers<string>();
      // The second caller does not accept what the first has begun to read.
      return {
        read: () => cache.read("value", { ttlMs: index === 0 ? 60_000 : 0 }, () => promise),
        end: () => resolve(value),
      };
    });
    const [older, newer] = reads.map(({ read }) => read());
    for (const { end } of reads.toReversed()) {
      end();
      await newer;
    }
    expect([await older, await newer]).toEqual(["older", "newer"]);
    expect(await cache.read("value", {}, async () => "read again")).toBe("newer");
  });

  it("drops everything when its connection is lost, and serves nothing until it listens again", async () => {
    const errors: unknown[] = [];
    const cache = await cacheOn(on.pool(), { onError: (error) => errors.push(error) });
    await rename("before the loss");
    await cache.sync();
    await cache.query(nameOf);
    // While its triggers are off, only the loss itself can drop the result.
    await on.admin.query("alter table items disable trigger user");
    expect(await endListeners(on)).toBeGreaterThan(0);
    await rename("meanwhile");
    await expect.poll(() => errors.length).toBeGreaterThan(1);
    expect(await cache.query(nameOf)).toEqual([{ name: "meanwhile" }]);
    expect(cache.stats).toMatchObject({ listening: false, hits: 0 });
    expect(String(errors.at(-1))).toContain("Changes are not reported to caches by: public.items");
    await on.admin.query("alter table items enable trigger user");
    await expect.poll(() => cache.stats.listening, { timeout: 5_000 }).toBe(true);
    await cache.query(nameOf);
    await cache.query(nameOf);
    expect(cache.stats).toMatchObject({ hits: 1 });
  });

  it("never returns less than what was known, in a race of writers and readers", async () => {
    await raceOnCache(on, 1_500, Math.random);
  });

  it("returns no result that is older than ttlMs, also to callers that join a slow read", async () => {
    const cache = await cacheOn(on.pool());
    let reads = 0;
    const slow = () =>
      cache.read("slow", { ttlMs: 60 }, async () => {
        const number = ++reads;
        await new Promise((resolve) => setTimeout(resolve, 120));
        return number;
      });
    const first = slow();
    await new Promise((resolve) => setTimeout(resolve, 80));
    expect(await slow()).toBe(2);
    expect(await first).toBe(1);
  });

  it("keeps no error, and ends only the wait of the caller whose signal aborts", async () => {
    const cache = await cacheOn(on.pool());
    await expect(cache.query({ text: "select name from nowhere" })).rejects.toThrow('"nowhere" does not exist');
    await expect(cache.query({ text: "select name from nowhere" })).rejects.toThrow('"nowhere" does not exist');
    expect(cache.stats).toMatchObject({ entries: 0, misses: 2 });
    const slow = { text: "select 1 as one from pg_sleep(0.3)" };
    const controller = new AbortController();
    const aborted = cache.query({ ...slow, signal: controller.signal });
    const waits = cache.query(slow);
    controller.abort();
    await expect(aborted).rejects.toMatchObject({ name: "AbortError" });
    expect(await waits).toEqual([{ one: 1 }]);
  });

  it("reads without the request's context, or separately for the parts that the result depends on", async () => {
    const cache = await cacheOn(on.pool());
    const user = { text: "select coalesce(current_setting('app.user_id', true), '') as user" };
    const as = (userId: string, vary: ["userId"] | []) =>
      withRequestContext(
        { userId, requestId: `of ${userId}` },
        async () => (await cache.query({ ...user, vary }))[0]?.user,
      );
    expect(await as("ann", [])).toBe("");
    expect(await as("ann", ["userId"])).toBe("ann");
    expect(await as("ben", ["userId"])).toBe("ben");
    expect(await as("ann", ["userId"])).toBe("ann");
    expect(cache.stats).toMatchObject({ misses: 3, hits: 1 });
  });

  it("shares rows that cannot be changed, and distinguishes values of other types", async () => {
    const cache = await cacheOn(on.pool());
    const [row] = await cache.query<{ list: number[] }>({ text: "select '[1,2]'::jsonb as list" });
    expect(() => row?.list.push(3)).toThrow(TypeError);
    const typed = async (value: unknown) =>
      (await cache.query({ text: "select $1::text as value", values: [value] }))[0]?.value;
    expect(await Promise.all(["1", 1, 1n, null, "null", true, "true", Number.NaN].map(typed))).toEqual([
      "1",
      "1",
      "1",
      null,
      "null",
      "true",
      "true",
      "NaN",
    ]);
    expect(cache.stats).toMatchObject({ hits: 0, joined: 0 });
    await expect(typed({ toPostgres: () => "x" })).rejects.toThrow("cannot be part of a key");
  });

  it("serves nothing after its pool ended", async () => {
    const pool = on.pool();
    const cache = await cacheOn(pool);
    await cache.query(nameOf);
    await pool.end();
    await expect(cache.query(nameOf)).rejects.toThrow("The pool is closed.");
  });
});

describe("a cache is refused", () => {
  it("for a table without its trigger, and for one whose trigger is for another name", async () => {
    const create = (table: string) => createCache(on.pool(), { tables: ["items", table] });
    await expect(create("writes")).rejects.toMatchObject({
      message: "Changes are not reported to caches by: public.writes.",
      hint: "Write a migration with the triggers: pgw migrate cache-triggers public.writes",
    });
    await on.admin.query("alter table parted rename to other");
    try {
      await expect(create("other")).rejects.toThrow("Changes are not reported to caches by: public.other.");
    } finally {
      await on.admin.query("alter table other rename to parted");
    }
    await expect(create("no such table")).rejects.toThrow('"no such table" is not the name of a table');
  });

  it("where reads can be answered by another server than the one that reports changes", async () => {
    const { host, port } = on.server.connection();
    const hosts = [1, 2].map(() => ({ host, port }));
    const { database, user, password } = on.server.as("app", "shop");
    const pool = on.pool({ connection: { hosts, database, user, password, sslmode: "disable" } });
    await expect(createCache(pool, { tables: ["items"] })).rejects.toThrow("A cache cannot use a pool of 2 servers");
    const pooled = on.pool({ pooled: true });
    await expect(createCache(pooled, { tables: ["items"] })).rejects.toThrow("does not pass notifications on");
    const direct = { hosts: [{ host, port }], database, user, password, sslmode: "disable" };
    const cache = await cacheOn(pooled, { direct });
    await rename("by a pooler");
    await cache.sync();
    expect(await cache.query(nameOf)).toEqual([{ name: "by a pooler" }]);
  });

  it("for a read of a table that it does not know", async () => {
    const cache = await cacheOn(on.pool());
    await expect(cache.query({ ...nameOf, tables: ["writes"] })).rejects.toThrow(
      "public.writes is not a table of this cache, which has: public.items, public.parted.",
    );
  });
});
