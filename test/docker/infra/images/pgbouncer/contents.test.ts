import type Docker from "dockerode";
import { beforeAll, describe, expect, it } from "vitest";
import { runInContainer } from "../../../../../scripts/docker/run-in-container.ts";
import { buildImage } from "../../../build-image.ts";
import { dockerObjects } from "../../../docker-objects.ts";
import { poolerImage, poolerImageContext } from "../../../postgres-image.ts";

describe("the pooler image", () => {
  const objects = dockerObjects();
  const { docker } = objects;
  let container: Docker.Container;
  beforeAll(async () => {
    container = await docker.createContainer({
      name: objects.name("pooler"),
      Image: await poolerImage(),
      Cmd: ["sleep", "600"],
      HostConfig: { Init: true, ReadonlyRootfs: true, CapDrop: ["ALL"] },
    });
    await container.start();
  });
  const script = async (text: string) => {
    const { code, stdout, stderr } = await runInContainer(docker, container.id, { command: ["bash", "-c", text] });
    return { code, said: `${stdout}${stderr}`.trim() };
  };

  it("has PgBouncer, its exporter and psql in the requested versions", async () => {
    expect((await script("pgbouncer --version | head -1")).said).toMatch(/^PgBouncer 1\.2[4-9]\./);
    expect((await script("prometheus-pgbouncer-exporter --version 2>&1 | head -1")).said).toMatch(/version 0\.10\./);
    expect((await script("psql --version")).said).toMatch(/PostgreSQL\) 17\./);
  });

  it("runs as user 999, which owns no file of the image and can write to none", async () => {
    expect((await script("id -u; id -g")).said).toBe("999\n999");
    expect((await script("stat -c '%u %g %a' /etc/pgroundwork /run/pgbouncer")).said).toBe("999 999 700\n999 999 700");
    expect((await script("find / -xdev -type f \\( -user 999 -o -perm -o+w \\) 2>/dev/null")).said).toBe("");
  });

  it("is unhealthy while neither PgBouncer nor the exporter answers", async () => {
    expect((await script("pooler-health")).code).not.toBe(0);
    expect(await script("pooler-exporter-check")).toEqual({ code: 1, said: "the exporter does not answer" });
  });

  it("fails to build if the distribution has another release than the requested one", async () => {
    const { error, output } = await buildImage(docker, poolerImageContext, `${objects.prefix}:never`, {
      PGBOUNCER_VERSION: "1.20.0",
    });
    expect(error).toContain("returned a non-zero code: 1");
    expect(output).toMatch(/error: PGBOUNCER_VERSION asks for PgBouncer 1\.20\.0, and the distribution has 1\.24\./);
  });
});
