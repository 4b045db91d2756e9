import { setTimeout as delay } from "node:timers/promises";
import type Docker from "dockerode";
import { describe, expect, it } from "vitest";
import { leastPostgres } from "../../../least-postgres.ts";
import { configurationFolder, firstAnswer, leastConfiguration, logs, shell, sql } from "../../../postgres-container.ts";

const second = 1_000_000_000;
/** The image's own health check at shorter intervals. */
const impatient = { Healthcheck: { Interval: second / 2, Timeout: 2 * second, Retries: 2 } };

describe("the health check of a container", () => {
  const least = leastPostgres();
  const { docker } = least.objects;
  const create = async (settings = "") => {
    const configuration = await least.filled(configurationFolder, {
      ...leastConfiguration,
      "postgresql.conf": `${leastConfiguration["postgresql.conf"]}${settings}`,
    });
    return least.create({ configuration, changed: impatient });
  };

  it("passes while SQL is answered, and fails while it is not", async () => {
    const container = await create();
    await container.start();
    expect(["starting", "healthy"]).toContain(await health(container));
    await until(container, "healthy");
    const postmaster = "$(head -n 1 /var/lib/postgresql/17/data/postmaster.pid)";
    await shell(docker, container, `kill -STOP ${postmaster}`);
    await until(container, "unhealthy");
    await shell(docker, container, `kill -CONT ${postmaster}`);
    await until(container, "healthy");
  });

  it("passes in recovery as soon as reads are answered", async () => {
    const container = await create();
    await container.start();
    await firstAnswer(docker, container);
    await shell(docker, container, "touch /var/lib/postgresql/17/data/standby.signal");
    await container.restart();
    await until(container, "healthy");
    expect(await sql(docker, container, "select pg_is_in_recovery()")).toBe("t");
  });

  it("leaves no trace in the server's log, whatever is logged", async () => {
    const container = await create(
      "log_disconnections = on\nlog_statement = all\nlog_min_duration_statement = 0\nlog_duration = on\nshared_preload_libraries = pgaudit\npgaudit.log = all\n",
    );
    await container.start();
    await until(container, "healthy");
    const log = await logs(container);
    expect(log).toContain("ready to accept connections");
    expect(log).not.toMatch(/select 1|duration|disconnection|AUDIT/);
  });

  it("runs every 15 s and allows 10 min for a start", async () => {
    expect((await docker.getImage(least.image).inspect()).Config.Healthcheck).toMatchObject({
      Test: ["CMD", "postgres-health"],
      Interval: 15 * second,
      StartPeriod: 600 * second,
    });
  });
});

async function health(container: Docker.Container): Promise<string | undefined> {
  return (await container.inspect()).State.Health?.Status;
}

async function until(container: Docker.Container, wanted: string): Promise<void> {
  while ((await health(container)) !== wanted) await delay(100);
}
