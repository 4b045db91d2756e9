import { describe, expect, it } from "vitest";
import { runInContainer } from "../../../../../scripts/docker/run-in-container.ts";
import { leastPostgres } from "../../../least-postgres.ts";
import {
  configurationFolder,
  leastConfiguration,
  type PostgresContainer,
  runToEnd,
  volumeRoot,
} from "../../../postgres-container.ts";

describe("a container start (a refusal is one line and exit code 1)", () => {
  const { objects, create, start, filled } = leastPostgres();
  const volume = (files: Record<string, string>) => filled(volumeRoot, files);
  const end = async (given: Partial<PostgresContainer>) => runToEnd(await create(given));
  const refused = (line: string) => ({ code: 1, log: `pgroundwork: ${line}\n` });

  it("refuses a cluster of another major version", async () => {
    const data = await volume({ "17/": "", "17/data/": "", "17/data/PG_VERSION": "16\n" });
    expect(await end({ data })).toEqual(
      refused("/var/lib/postgresql/17/data is a cluster of PostgreSQL 16, and this image runs PostgreSQL 17."),
    );
  });

  it("refuses a volume whose only cluster has another major version", async () => {
    const data = await volume({ "16/": "", "16/data/": "", "16/data/PG_VERSION": "16\n" });
    expect(await end({ data })).toEqual(
      refused("/var/lib/postgresql/16/data is a cluster of PostgreSQL 16, and this image runs PostgreSQL 17."),
    );
  });

  it("refuses a volume with another image's layout", async () => {
    const data = await volume({ "data/": "", "data/PG_VERSION": "17\n" });
    expect(await end({ data })).toEqual(
      refused(
        "/var/lib/postgresql/data is a cluster already, and this image keeps its own in /var/lib/postgresql/17/data.",
      ),
    );
  });

  it("refuses a data directory with files that are no cluster", async () => {
    const data = await volume({ "17/": "", "17/data/": "", "17/data/notes.txt": "mine" });
    expect(await end({ data })).toEqual(
      refused("/var/lib/postgresql/17/data is neither empty nor a cluster: it has no PG_VERSION."),
    );
  });

  it("refuses a volume that is mounted read-only", async () => {
    expect(await end({ readOnlyData: true })).toEqual(
      refused("the volume at /var/lib/postgresql cannot be written by postgres (uid 999)."),
    );
  });

  it.each(Object.keys(leastConfiguration))("refuses a configuration without %s", async (missing) => {
    const files = Object.fromEntries(Object.entries(leastConfiguration).filter(([name]) => name !== missing));
    const without = await filled(configurationFolder, files);
    expect(await end({ configuration: without })).toEqual(
      refused(`the configuration file /etc/pgroundwork/${missing} is missing.`),
    );
  });

  it("refuses to run as root", async () => {
    expect(await end({ changed: { User: "root" } })).toEqual(
      refused("refusing to run as root: run the container as postgres (uid 999), which is its default."),
    );
  });

  it("refuses to run without an init process", async () => {
    expect(await end({ changed: { HostConfig: { Init: false } } })).toEqual(
      refused("the container has no init process: run it with --init."),
    );
  });

  it("refuses a volume without room for a cluster", async () => {
    const data = objects.name("data");
    await objects.docker.createVolume({
      Name: data,
      DriverOpts: { type: "tmpfs", device: "tmpfs", o: "size=8m,uid=999,gid=999,mode=0700" },
    });
    const { code, log } = await end({ data });
    expect(code).toBe(1);
    expect(log).toMatch(/^pgroundwork: initdb failed: .*No space left on device.*\n$/);
  });

  it("accepts an empty data directory and creates a cluster in it", async () => {
    const data = await volume({ "17/": "", "17/data/": "" });
    const container = await start({ data });
    const { stdout } = await runInContainer(objects.docker, container.id, {
      command: ["cat", `${volumeRoot}/17/data/PG_VERSION`],
    });
    expect(stdout).toBe("17\n");
  });
});
