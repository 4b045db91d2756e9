import { NotKnown } from "../connection/observer.ts";
import { measuredVolumes, volumeExporter } from "../model/health-server.ts";
import { diskValues, type HostValues, ownMachine } from "./host-values.ts";
import { parseSamples } from "./prometheus-samples.ts";

/** Time limit in ms of the request. The snapshot waits less long for it. */
const limitMs = 10_000;

/**
 * Reads the machine of a stack's server from a container next to it, which may not read the server's files. The volume
 * exporter knows the filesystem of the data volume; memory and load are the same for all containers of a machine.
 *
 * @param origin URL of the volume exporter
 * @throws NotKnown if the volume exporter does not answer, or does not measure the volume
 */
export async function readVolumeExporter(
  origin = `http://${volumeExporter.host}:${volumeExporter.port}`,
): Promise<HostValues> {
  return { ...diskOf(await textOf(`${origin}/metrics?collect[]=filesystem`)), ...ownMachine() };
}

async function textOf(url: string): Promise<string> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(limitMs) });
    if (!response.ok) throw new Error(`status ${response.status}`);
    return await response.text();
  } catch (error) {
    const { message, cause } = error as Error;
    throw new NotKnown(`the volume exporter does not answer: ${cause instanceof Error ? cause.message : message}`);
  }
}

/** Returns the values of the data volume's filesystem. */
function diskOf(text: string) {
  const lines = text.split("\n").filter((line) => line.startsWith("node_filesystem_"));
  const samples = parseSamples(`${lines.join("\n")}\n`);
  const [size, free, available] = ["size", "free", "avail"].map(
    (what) =>
      samples.find(
        ({ name, labels }) =>
          name === `node_filesystem_${what}_bytes` && labels.mountpoint === `${measuredVolumes}/data`,
      )?.value,
  );
  if (size === undefined || free === undefined || available === undefined)
    throw new NotKnown("the volume exporter does not measure the data volume");
  return diskValues({ sizeBytes: size, usedBytes: size - free, freeBytes: available });
}
