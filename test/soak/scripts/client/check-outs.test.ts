import { afterAll, beforeAll, expect, it } from "vitest";
import { type PoolServer, startPoolServer } from "../../../embedded/scripts/client/pool-server.ts";
import { useAtRandom } from "../../../embedded/scripts/client/random-use.ts";
import { soakRandom, soakRuns } from "../../random.ts";

let on: PoolServer;
beforeAll(async () => {
  on = await startPoolServer();
});
afterAll(() => on.stop());

it("no check-out with errors, aborts, timeouts and cut connections leaks a client, a setting or a write", async () => {
  await useAtRandom(on, soakRuns(10_000), soakRandom());
});

it("a minute without the server costs 25 waiting requests at most 100 attempts", async () => {
  const proxy = await on.proxy();
  const pool = on.pool({ max: 20, connectionTimeoutMs: 120_000 }, proxy.port);
  await proxy.close();
  const waiting = Array.from({ length: 25 }, (_, index) => pool.query("select $1::int as index", [index]));
  await new Promise((resolve) => setTimeout(resolve, 60_000));
  expect(pool.stats.connectAttempts).toBeLessThanOrEqual(100);
  await proxy.reopen();
  const returned = performance.now();
  await Promise.all(waiting);
  expect(performance.now() - returned).toBeLessThan(1_500);
});
