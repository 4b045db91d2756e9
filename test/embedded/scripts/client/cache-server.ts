import { mkdir, mkdtemp, readFile } from "node:fs/promises";
import { join } from "node:path";
import { inject, onTestFinished } from "vitest";
import { type CacheOptions, createCache, type ResultCache } from "../../../../scripts/client/cache/cache.ts";
import type { Pool } from "../../../../scripts/client/pool.ts";
import { draftCacheTriggers } from "../../../../scripts/migrate/authoring/cache-triggers.ts";
import { type PoolServer, startPoolServer } from "./pool-server.ts";

/** Starts a server whose tables `items` and `parted` have the triggers that `pgw migrate cache-triggers` writes. */
export async function startCacheServer(): Promise<PoolServer> {
  const on = await startPoolServer();
  await on.admin.query(`
    set role shop_owner;
    create table parted (id int not null, name text not null) partition by range (id);
    create table parted_low partition of parted for values from (0) to (100);
    insert into items select id, 'item ' || id, 1 from generate_series(1, 9) as id;
    insert into parted values (1, 'one');
    reset role`);
  const folder = await mkdtemp(join(inject("scratch"), "cache-triggers-"));
  await mkdir(join(folder, "committed"));
  await draftCacheTriggers(on.admin, folder, ["items", "parted"]);
  await on.admin.query(`set role shop_owner; ${await readFile(join(folder, "current.sql"), "utf8")}; reset role`);
  // It exists after the triggers, so it has one of its own.
  await on.admin.query(
    "set role shop_owner; create table parted_high partition of parted for values from (100) to (200)",
  );
  await on.admin.query("reset role");
  return on;
}

/** Creates a cache that the test's end closes. */
export async function cacheOn(pool: Pool, options: Partial<CacheOptions> = {}): Promise<ResultCache> {
  const cache = await createCache(pool, { tables: ["items", "parted"], ...options });
  onTestFinished(() => cache.close());
  return cache;
}

/** Ends the connections that listen, and returns their number. */
export async function endListeners({ admin }: PoolServer): Promise<number> {
  const { rowCount } = await admin.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where query ilike 'listen%' and pid <> pg_backend_pid()`,
  );
  return rowCount ?? 0;
}
