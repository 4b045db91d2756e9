import { afterAll, beforeAll, it } from "vitest";
import { raceOnCache } from "../../../embedded/scripts/client/cache-race.ts";
import { startCacheServer } from "../../../embedded/scripts/client/cache-server.ts";
import type { PoolServer } from "../../../embedded/scripts/client/pool-server.ts";
import { soakRandom, soakRuns } from "../../random.ts";

let on: PoolServer;
beforeAll(async () => {
  on = await startCacheServer();
});
afterAll(() => on.stop());

it("no read of a cache returns less than what was known, in a race of writers and readers", async () => {
  await raceOnCache(on, soakRuns(10_000), soakRandom());
});
