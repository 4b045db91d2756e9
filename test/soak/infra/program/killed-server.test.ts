import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clientConfig } from "../../../../scripts/connection/connection.ts";
import type { Clone } from "../../../embedded/clone.ts";
import { makeShop, shopSettings } from "../../../embedded/infra/program/shop.ts";
import { soakRandom, soakRuns } from "../../random.ts";

describe("a server whose postmaster is killed under write load", () => {
  let clone: Clone;

  beforeAll(async () => {
    clone = await makeShop();
    // The test counts acknowledged rows, so these must be on disk.
    await clone.configure({ ...shopSettings, postgresql: { fsync: "on" } });
    await clone.succeed("up");
  });
  afterAll(() => clone?.remove());

  it("runs again after the next up, with every acknowledged row", async () => {
    const random = soakRandom();
    let acknowledged = 0;
    const runs = soakRuns(20);
    for (let run = 0; run < runs; run += 1) {
      acknowledged += await writeUntilKilled(clone, 200 + random() * 800);
      const up = await clone.succeed("up");
      expect(up.stdout).toContain("EmbeddedServer server-postgres (pid)");
      const [count] = await clone.query<{ rows: number }>(
        "readonly",
        "select count(*)::int as rows from customer_order",
      );
      // The dev seed has two rows. In each run, one more row may be written without an acknowledgement.
      expect(count?.rows).toBeGreaterThanOrEqual(acknowledged + 2);
      expect(count?.rows).toBeLessThanOrEqual(acknowledged + 2 + run + 1);
    }
    process.stderr.write(`${runs} kills, ${acknowledged} acknowledged rows, none lost\n`);
    expect(acknowledged).toBeGreaterThan(0);
  });
});

/** Inserts rows until the server is killed. Returns the number of acknowledged rows. */
async function writeUntilKilled(clone: Clone, afterMs: number): Promise<number> {
  const client = new pg.Client(clientConfig(await clone.login("app")));
  client.on("error", () => undefined);
  await client.connect();
  const killed = sleep(afterMs).then(() =>
    clone.shell(`kill -9 "$(head -1 "${clone.dataHome}"/servers/*/data/postmaster.pid)"`),
  );
  let acknowledged = 0;
  try {
    for (;;) {
      await client.query("insert into customer_order (product_id, amount) values (1, 1)");
      acknowledged += 1;
    }
  } catch {
    expect((await killed).code).toBe(0);
    return acknowledged;
  } finally {
    await client.end().catch(() => undefined);
  }
}
