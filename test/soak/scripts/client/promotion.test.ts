import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { OutcomeUnknownError } from "../../../../scripts/client/errors.ts";
import { poll } from "../../../../scripts/core/poll.ts";
import { type PoolServer, startPoolServer } from "../../../embedded/scripts/client/pool-server.ts";
import { startStandby, type TestStandby } from "../../../embedded/standby.ts";

let on: PoolServer;
let standby: TestStandby;
beforeAll(async () => {
  on = await startPoolServer({ synchronous_commit: "on" });
  standby = await startStandby(on.server, "shop");
  await on.admin.query("alter system set synchronous_standby_names = '*'");
  await on.admin.query("select pg_reload_conf()");
  const isSynchronous = async () => {
    const { rows } = await on.admin.query("select from pg_stat_replication where sync_state = 'sync'");
    return rows.length === 1 || undefined;
  };
  await poll(isSynchronous, { intervalMs: 50, timeoutMs: 10_000 });
});
afterAll(async () => {
  await standby?.stop();
  await on?.stop();
});

it("writes continue on a promoted standby after its primary died, none lost or doubled", async () => {
  const { database, user, password } = on.server.as("app", "shop");
  const hosts = [on.server.connection().port, standby.port].map((port) => ({ host: "127.0.0.1", port }));
  const pool = on.pool({
    connection: { hosts, database, user, password, sslmode: "disable" },
    ...{ targetSessionAttrs: "primary", probeIntervalMs: 200, max: 8, retriesPerSecond: 500 },
  });
  const acknowledged: string[] = [];
  const unknown = new Set<string>();
  let number = 0;
  let running = true;
  const writer = async () => {
    while (running) {
      const key = `promotion-${++number}`;
      const insert = "insert into writes (key) values ($1)";
      const write =
        number % 2 === 0
          ? pool.query(insert, [key])
          : pool.transaction((transaction) => transaction.query(insert, [key]));
      await write.then(
        () => acknowledged.push(key),
        (error: unknown) => {
          if (!(error instanceof OutcomeUnknownError)) throw error;
          unknown.add(key);
        },
      );
    }
  };
  const writers = Promise.all(Array.from({ length: 8 }, writer));
  await sleep(2_000);
  process.kill(on.server.pid, "SIGQUIT");
  await standby.admin().query("select pg_promote()");
  const before = acknowledged.length;
  await sleep(2_000);
  running = false;
  await writers;
  expect(acknowledged.length).toBeGreaterThan(before);
  const { rows } = await standby
    .admin()
    .query<{ key: string }>("select key from writes where starts_with(key, 'promotion-')");
  const written = rows.map(({ key }) => key);
  expect(new Set(written).size).toBe(written.length);
  expect(written.filter((key) => !unknown.has(key)).sort()).toEqual(acknowledged.sort());
  expect(pool.stats.used).toBe(0);
});
