import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { cacheOn, endListeners } from "./cache-server.ts";
import type { PoolServer } from "./pool-server.ts";

/**
 * Lets writers and readers of a cache race, and ends the connection that listens now and then. A version that a writer
 * made known, by `sync()` or by `drop()`, is the least that a read may return that begins later.
 */
export async function raceOnCache(on: PoolServer, reads: number, random: () => number): Promise<void> {
  const pool = on.pool({ max: 8 });
  const cache = await cacheOn(pool, { maxEntries: 3 });
  const ids = [1, 2, 3, 4];
  const known = new Map(ids.map((id) => [id, 0]));
  const stale: string[] = [];
  let done = 0;
  let writes = 0;
  const any = () => ids[Math.floor(random() * ids.length)] ?? 1;

  const reader = async () => {
    while (done < reads) {
      done += 1;
      const id = any();
      const least = known.get(id) ?? 0;
      const [row] = await cache.query<{ version: number }>({
        text: "select price::int as version from items where id = $1",
        values: [id],
      });
      if ((row?.version ?? -1) < least) stale.push(`item ${id}: ${row?.version}, at least ${least} was known`);
      // A hit takes no turn of the event loop, and would keep the notifications waiting.
      if (done % 10 === 0) await sleep(0);
    }
  };
  const writer = async () => {
    while (done < reads) {
      const id = any();
      const { rows } = await pool.query<{ version: number }>(
        "update items set price = price + 1 where id = $1 returning price::int as version",
        [id],
      );
      writes += 1;
      if (random() < 0.5) await cache.sync();
      else cache.drop(["items"]);
      known.set(id, Math.max(known.get(id) ?? 0, rows[0]?.version ?? 0));
      await sleep(random() * 4);
    }
  };
  const saboteur = async () => {
    while (done < reads) {
      await sleep(150);
      await endListeners(on);
    }
  };
  await Promise.all([reader(), reader(), reader(), reader(), writer(), writer(), saboteur()]);
  expect(stale).toEqual([]);
  // A race without both shows nothing.
  expect(writes).toBeGreaterThan(reads / 500);
  expect(cache.stats.hits).toBeGreaterThan(reads / 20);
  expect(cache.stats.changes).toBeGreaterThan(0);
}
