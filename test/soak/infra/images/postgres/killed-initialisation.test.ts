import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { leastPostgres } from "../../../../docker/least-postgres.ts";
import { shell, sql } from "../../../../docker/postgres-container.ts";
import { soakRandom, soakRuns } from "../../../random.ts";

/** Longest pause before a kill, in ms. A first start takes less, so that some kills hit the running server. */
const longest = 2_000;

describe("the first start of a container", () => {
  const { objects, create, start } = leastPostgres();
  const { docker } = objects;
  const random = soakRandom();

  it.each(Array.from({ length: soakRuns(50) }, (_, run) => run + 1))(
    "leaves a complete cluster after three kills at random moments (run %i)",
    async () => {
      const data = objects.name("data");
      for (let kill = 0; kill < 3; kill++) {
        const container = await create({ data });
        await container.start();
        await delay(random() * longest);
        await container.remove({ force: true });
      }
      const container = await start({ data });
      expect(await sql(docker, container, "create table kept as select 42 as answer; select answer from kept")).toBe(
        "42",
      );
      expect(await shell(docker, container, "ls -A /var/lib/postgresql/17")).toBe("data");
      await container.remove({ force: true });
      await docker.getVolume(data).remove();
    },
  );
});
