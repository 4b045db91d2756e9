import { describe, expect, it } from "vitest";
import { leastPostgres } from "./least-postgres.ts";
import { logs, putFiles, shell, sql } from "./postgres-container.ts";

/**
 * Programs that replace the real ones of the same name. They signal that the initialisation has reached a point, and
 * stop it there.
 */
const hold = "touch /tmp/there; sleep 600";
const [duringInitdb, ...others] = [
  {
    moment: "during initdb",
    program: "initdb",
    script: `
/usr/lib/postgresql/17/bin/initdb "$@" &
until [ -e /var/lib/postgresql/17/data.unfinished/global/pg_control ]; do sleep 0.01; done
${hold}`,
    begunAgain: true,
  },
  { moment: "before initdb", program: "initdb", script: hold, begunAgain: false },
  { moment: "before the cluster is renamed", program: "mv", script: hold, begunAgain: true },
  { moment: "right after the cluster is renamed", program: "sync", script: hold, begunAgain: false },
] as const;

/**
 * Defines the tests of a killed initialisation.
 *
 * @param every also kills it at moments at which it leaves less than during initdb
 */
export function describeInterruptedInitialisation(every: boolean): void {
  describe("an initialisation", () => {
    const { objects, create, start } = leastPostgres();
    const { docker } = objects;

    it.each(every ? [duringInitdb, ...others] : [duringInitdb])(
      "leaves a complete cluster after the next start when killed $moment",
      async ({ program, script, begunAgain }) => {
        const data = objects.name("data");
        const killed = await create({
          data,
          changed: { Env: ["PATH=/opt:/usr/lib/postgresql/17/bin:/usr/local/bin:/usr/bin:/bin"] },
        });
        await putFiles(killed, "/opt", { [program]: `#!/bin/sh\n${script}\n` }, 0o755);
        await killed.start();
        await shell(docker, killed, "until [ -e /tmp/there ]; do sleep 0.02; done");
        await killed.kill({ signal: "SIGKILL" });
        await killed.wait();

        const next = await start({ data });
        expect(await sql(docker, next, "select string_agg(datname, ' ' order by datname) from pg_database")).toBe(
          "postgres template0 template1",
        );
        expect(await shell(docker, next, "ls -A /var/lib/postgresql/17")).toBe("data");
        expect((await logs(next)).includes("an interrupted initialisation is begun again")).toBe(begunAgain);
        await next.remove({ force: true });
      },
    );
  });
}
