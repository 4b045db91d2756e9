import type Docker from "dockerode";
import { NotKnown } from "../connection/observer.ts";
import { runInContainer } from "../docker/run-in-container.ts";
import { diskValues, type HostValues } from "./host-values.ts";

/** Mount path of the volume with the cluster, as in infra/images/postgres. */
const cluster = "/var/lib/postgresql";

/** /proc/meminfo and /proc/loadavg are those of the engine's machine, not of the container. */
const script = `df --block-size=1 --output=size,used,avail ${cluster} | tail -n 1; nproc; cat /proc/loadavg /proc/meminfo`;

/**
 * Reads the machine of a server in a container: the filesystem of its data volume, its memory and its load.
 *
 * @throws NotKnown if the container does not run
 */
export async function readContainerHost(docker: Docker, container: string): Promise<HostValues> {
  const { code, stdout, stderr } = await runInContainer(docker, container, { command: ["bash", "-c", script] });
  const [, size, used, available] = /^\s*(\d+)\s+(\d+)\s+(\d+)\s*$/m.exec(stdout) ?? [];
  const [, processors] = /^(\d+)$/m.exec(stdout) ?? [];
  const [, load] = /^(\d+\.\d+) \d+\.\d+ /m.exec(stdout) ?? [];
  const memory = (name: string) => new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(stdout)?.[1];
  const [total, free] = [memory("MemTotal"), memory("MemAvailable")];
  const read = [size, used, available, processors, load, total, free].map(Number);
  if (code !== 0 || read.some((value) => !Number.isFinite(value)))
    throw new NotKnown(`the container ${container} does not say how full its volume is: ${stderr.trim() || stdout}`);
  const [sizeBytes = 0, usedBytes = 0, freeBytes = 0, cores = 0, average = 0, totalKb = 0, freeKb = 0] = read;
  return {
    ...diskValues({ sizeBytes, usedBytes, freeBytes }),
    ...{ memoryBytes: totalKb * 1024, memoryFreeBytes: freeKb * 1024, load: average, processors: cores },
  };
}
