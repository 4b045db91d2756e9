import { beforeAll, describe, expect, it } from "vitest";
import { dockerBelongings } from "../../../belongings.ts";
import {
  configurationFolder,
  createPostgres,
  filledVolume,
  leastConfiguration,
  logs,
  putFiles,
  shell,
  sql,
  startPostgres,
} from "../../../postgres-container.ts";
import { postgresImage } from "../../../postgres-image.ts";

/** Programs put before the real ones of that name: they say when the initialisation has come to a point, and hold it there. */
const hold = "touch /tmp/there; sleep 600";
const moments = [
  { moment: "before initdb", program: "initdb", script: hold, begunAgain: false },
  {
    moment: "in the middle of initdb",
    program: "initdb",
    script: `
/usr/lib/postgresql/17/bin/initdb "$@" &
until [ -e /var/lib/postgresql/17/data.unfinished/global/pg_control ]; do sleep 0.01; done
${hold}`,
    begunAgain: true,
  },
  { moment: "before the cluster has its name", program: "mv", script: hold, begunAgain: true },
  { moment: "as soon as the cluster has its name", program: "sync", script: hold, begunAgain: false },
];

describe("an initialisation that was killed", () => {
  const belongings = dockerBelongings();
  const { docker } = belongings;
  let image: string;
  let configuration: string;
  beforeAll(async () => {
    image = await postgresImage();
    configuration = await filledVolume(belongings, image, configurationFolder, leastConfiguration);
  });

  it.each(moments)(
    "$moment leaves nothing half-used: the next start is whole",
    async ({ program, script, begunAgain }) => {
      const data = belongings.name("data");
      const killed = await createPostgres(belongings, {
        image,
        data,
        configuration,
        changed: { Env: ["PATH=/opt:/usr/lib/postgresql/17/bin:/usr/local/bin:/usr/bin:/bin"] },
      });
      await putFiles(killed, "/opt", { [program]: `#!/bin/sh\n${script}\n` }, 0o755);
      await killed.start();
      await shell(docker, killed, "until [ -e /tmp/there ]; do sleep 0.02; done");
      await killed.kill({ signal: "SIGKILL" });
      await killed.wait();

      const next = await startPostgres(belongings, { image, data, configuration });
      expect(await sql(docker, next, "select string_agg(datname, ' ' order by datname) from pg_database")).toBe(
        "postgres template0 template1",
      );
      expect(await shell(docker, next, "ls -A /var/lib/postgresql/17")).toBe("data");
      expect((await logs(next)).includes("an interrupted initialisation is begun again")).toBe(begunAgain);
      await next.remove({ force: true });
    },
  );
});
