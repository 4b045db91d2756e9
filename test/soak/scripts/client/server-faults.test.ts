import { setTimeout as sleep } from "node:timers/promises";
import getPort from "get-port";
import { afterAll, beforeAll, expect, it } from "vitest";
import { withClient } from "../../../../scripts/connection/client.ts";
import { startLedger } from "../../../embedded/scripts/client/ledger.ts";
import { type PoolServer, startPoolServer } from "../../../embedded/scripts/client/pool-server.ts";
import { soakRuns } from "../../random.ts";

let on: PoolServer;
beforeAll(async () => {
  on = await startPoolServer();
});
afterAll(() => on.stop());

const keys = (prefix: string) =>
  withClient(on.server.connection("shop"), async (client) => {
    const { rows } = await client.query<{ key: string }>("select key from writes where starts_with(key, $1)", [prefix]);
    return rows.map(({ key }) => key);
  });

/** Time in ms within which a pool writes again after its server has returned: one second, and slack for the machine. */
const returnLimitMs = 1_500;

it("each acknowledged write exists once after the network was frozen for 10 s, and no write fails", async () => {
  const proxy = await on.proxy();
  const pool = on.pool({ max: 8 }, proxy.port);
  const ledger = startLedger(pool, "frozen-", 8);
  await sleep(1_000);
  for (let run = 0; run < soakRuns(3); run += 1) {
    proxy.freeze();
    await sleep(10_000);
    proxy.thaw();
    expect(await ledger.nextAcknowledged()).toBeLessThan(returnLimitMs);
    await sleep(500);
  }
  await ledger.stop();
  ledger.check(await keys("frozen-"));
  expect(pool.stats.retries).toBe(0);
});

it("each acknowledged write exists once after the server was killed and started again, here or on another port", async () => {
  const proxy = await on.proxy();
  const pool = on.pool({ max: 8, retriesPerSecond: 100 }, proxy.port);
  const ledger = startLedger(pool, "killed-", 8);
  const times: number[] = [];
  for (let run = 0; run < soakRuns(10); run += 1) {
    await sleep(1_000);
    const port = run % 2 === 0 ? undefined : await getPort({ host: "127.0.0.1" });
    await on.server.crash(port);
    proxy.redirect(on.server.connection().port);
    times.push(await ledger.nextAcknowledged());
  }
  await ledger.stop();
  ledger.check(await keys("killed-"));
  expect(Math.max(...times)).toBeLessThan(returnLimitMs);
});
