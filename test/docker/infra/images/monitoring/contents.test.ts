import type Docker from "dockerode";
import { beforeAll, describe, expect, it } from "vitest";
import { runInContainer } from "../../../../../scripts/docker/run-in-container.ts";
import { buildImage } from "../../../build-image.ts";
import { dockerObjects } from "../../../docker-objects.ts";
import { monitoringImage, monitoringImageContext } from "../../../postgres-image.ts";

describe("the monitoring image", () => {
  const objects = dockerObjects();
  const { docker } = objects;
  let image: string;
  let container: Docker.Container;
  beforeAll(async () => {
    image = await monitoringImage();
    container = await idle();
  });

  const idle = async (command = ["sleep", "600"], host: Docker.HostConfig = {}, user = "") => {
    const made = await docker.createContainer({
      name: objects.name("monitoring"),
      Image: image,
      Cmd: command,
      User: user,
      HostConfig: { Init: true, ReadonlyRootfs: true, CapDrop: ["ALL"], ...host },
    });
    await made.start();
    return made;
  };
  const run = async (command: string[], user?: string, inside = container) => {
    const finished = await runInContainer(docker, inside.id, { command, ...(user === undefined ? {} : { user }) });
    return { code: finished.code, said: `${finished.stdout}${finished.stderr}`.trim() };
  };
  const script = async (text: string, inside = container) => (await run(["bash", "-c", text], undefined, inside)).said;

  it("has Prometheus, Alertmanager, their tools and both exporters in the requested versions, and CA certificates", async () => {
    expect(await script("prometheus --version | head -1")).toMatch(/^prometheus, version 2\.53\./);
    expect(await script("promtool --version | head -1")).toMatch(/^promtool, version 2\.53\./);
    expect(await script("prometheus-alertmanager --version | head -1")).toMatch(/version 0\.28\./);
    expect(await script("amtool --version | head -1")).toMatch(/version 0\.28\./);
    expect(await script("grep -c BEGIN /etc/ssl/certs/ca-certificates.crt")).toMatch(/^\d{2,}$/);
    expect(await script("prometheus-postgres-exporter --version | head -1")).toMatch(/version 0\.17\.1/);
    expect(await script("prometheus-node-exporter --version | head -1")).toMatch(/version 1\.9\./);
  });

  it("runs as user 999, which owns no file of the image and can write to none", async () => {
    expect(await script("id -u; id -g")).toBe("999\n999");
    const folders = "/etc/pgroundwork /var/lib/prometheus /var/lib/alertmanager";
    expect(await script(`stat -c '%u %g %a' ${folders}`)).toBe("999 999 700\n999 999 700\n999 999 700");
    expect(await script("find / -xdev -type f \\( -user 999 -o -perm -o+w \\) 2>/dev/null")).toBe("");
  });

  it("fails to build if the distribution has another release than the requested one", async () => {
    const { error, output } = await buildImage(docker, monitoringImageContext, `${objects.prefix}:never`, {
      POSTGRES_EXPORTER_VERSION: "0.16.0",
    });
    expect(error).toContain("returned a non-zero code: 1");
    expect(output).toMatch(
      /error: POSTGRES_EXPORTER_VERSION asks for postgres_exporter 0\.16\.0, and the distribution has 0\.17\./,
    );
  });

  it("is healthy while its program answers, and unhealthy while nothing does", async () => {
    expect(await run(["monitoring-health"])).toEqual({ code: 1, said: "" });
    const exporter = await idle(["prometheus-node-exporter", "--collector.disable-defaults"]);
    await expect.poll(async () => (await run(["monitoring-health"], undefined, exporter)).code).toBe(0);
    expect(await script("http-get 9100 /metrics | grep -c ^node_exporter_build_info", exporter)).toBe("1");
    expect(await run(["http-get", "9100", "/nowhere"], undefined, exporter)).toEqual({ code: 1, said: "" });
  });

  it("measures the filesystem of a volume whose contents it cannot read", async () => {
    const volume = objects.name("volume");
    const size = 16 * 2 ** 20;
    await docker.createVolume({
      Name: volume,
      Driver: "local",
      DriverOpts: { type: "tmpfs", device: "tmpfs", o: `size=${size},uid=999,gid=999,mode=0700` },
    });
    const mount = (target: string, readOnly: boolean): Docker.HostConfig => ({
      Mounts: [{ Type: "volume", Source: volume, Target: target, ReadOnly: readOnly }],
    });
    const writer = await idle(undefined, mount("/volume", false));
    const { volumeExporterCommand } = await import("../../../../../infra/plan/monitoring.ts");
    const exporter = await idle(volumeExporterCommand([]), mount("/volumes/data", true), "65534:65534");
    const measured = async (name: string) =>
      Number(await script(`http-get 9100 /metrics | sed -n 's/^node_filesystem_${name}_bytes{.*} //p'`, exporter));
    await expect.poll(() => measured("size")).toBe(size);
    expect(await measured("avail")).toBe(size);
    await script("head -c 15728640 /dev/zero > /volume/large", writer);
    expect((await measured("avail")) / size).toBeCloseTo(1 / 16);
    expect((await run(["ls", "/volumes/data"], undefined, exporter)).said).toMatch(/Permission denied/);
  });
});
