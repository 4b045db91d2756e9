import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { readVolumeExporter } from "../../../../scripts/health/volume-exporter.ts";

const filesystem = (mountpoint: string, size: string, free: string, available: string) =>
  [
    ["size", size],
    ["free", free],
    ["avail", available],
  ]
    .map(
      ([name, value]) =>
        `node_filesystem_${name}_bytes{device="/dev/sda1",device_error="",fstype="ext4",mountpoint="${mountpoint}"} ${value}\n`,
    )
    .join("");

/** Starts a server that answers as an exporter does, and returns its URL and the requested paths. */
async function exporter(text: string, status = 200): Promise<{ origin: string; paths: string[] }> {
  const paths: string[] = [];
  const server = createServer((request, response) => {
    paths.push(request.url ?? "");
    response.writeHead(status).end(text);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, paths };
}

it("the disk of a server in a container is that of its data volume, and space for root is not free", async () => {
  const text = `# TYPE node_filesystem_avail_bytes gauge
go_goroutines +Inf
${filesystem("/volumes/backup", "7", "7", "7")}${filesystem("/volumes/data", "1.1e+10", "3e+09", "2e+09")}`;
  const { origin, paths } = await exporter(text);
  expect(await readVolumeExporter(origin)).toEqual({
    ...{ diskBytes: 11e9, diskFreeBytes: 2e9, diskPercent: 80 },
    ...{ memoryBytes: expect.any(Number), memoryFreeBytes: expect.any(Number) },
    ...{ load: expect.any(Number), processors: expect.any(Number) },
  });
  // Metrics of backups are not read for it.
  expect(paths).toEqual(["/metrics?collect[]=filesystem"]);
});

it("the disk is not known if the exporter does not measure the data volume, or does not answer", async () => {
  const other = await exporter(filesystem("/volumes/backup", "7", "7", "7"));
  await expect(readVolumeExporter(other.origin)).rejects.toThrow("does not measure the data volume");
  const failing = await exporter("", 500);
  await expect(readVolumeExporter(failing.origin)).rejects.toThrow("the volume exporter does not answer: status 500");
  await expect(readVolumeExporter("http://127.0.0.1:1")).rejects.toThrow(
    /the volume exporter does not answer: (connect ECONNREFUSED|bad port)/,
  );
});
