import { setTimeout as delay } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { dockerBelongings } from "../../../../docker/belongings.ts";
import {
  configurationFolder,
  createPostgres,
  filledVolume,
  leastConfiguration,
  shell,
  sql,
  startPostgres,
} from "../../../../docker/postgres-container.ts";
import { postgresImage } from "../../../../docker/postgres-image.ts";
import { soakRandom, soakRuns } from "../../../random.ts";

/** Longer than a first start takes, in ms: some kills hit the server. */
const longest = 2_000;

describe("a container that is killed at random moments of its first start", () => {
  const belongings = dockerBelongings();
  const { docker } = belongings;
  const random = soakRandom();
  let image: string;
  let configuration: string;
  beforeAll(async () => {
    image = await postgresImage();
    configuration = await filledVolume(belongings, image, configurationFolder, leastConfiguration);
  });

  it.each(Array.from({ length: soakRuns(50) }, (_, run) => run + 1))(
    "%i: three kills, and the next start is whole",
    async () => {
      const data = belongings.name("data");
      for (let kill = 0; kill < 3; kill++) {
        const container = await createPostgres(belongings, { image, data, configuration });
        await container.start();
        await delay(random() * longest);
        await container.remove({ force: true });
      }
      const container = await startPostgres(belongings, { image, data, configuration });
      expect(await sql(docker, container, "create table kept as select 42 as answer; select answer from kept")).toBe(
        "42",
      );
      expect(await shell(docker, container, "ls -A /var/lib/postgresql/17")).toBe("data");
      await container.remove({ force: true });
      await docker.getVolume(data).remove();
    },
  );
});
