import { dockerClient } from "../../scripts/docker/client.ts";

/**
 * Lists the containers, networks and volumes in the Docker engine whose names contain a prefix. Containers with a
 * random name from Docker are found by their stack.
 */
export async function inEngine(prefix: string, stack = prefix.replace(/^pgroundwork-/, "")): Promise<string[]> {
  const docker = dockerClient();
  const filters = { name: [prefix] };
  const [containers, ofStack, networks, { Volumes: volumes }] = await Promise.all([
    docker.listContainers({ all: true, filters }),
    docker.listContainers({ all: true, filters: { label: [`pgroundwork.stack=${stack}`] } }),
    docker.listNetworks({ filters }),
    docker.listVolumes({ filters }),
  ]);
  const named = [...containers, ...ofStack].map(({ Names: [name = ""], Labels }) =>
    Labels["pgroundwork.role"] === "scratch" ? "a scratch container" : `container ${name.slice(1)}`,
  );
  return [
    ...new Set(named),
    ...networks.map(({ Name }) => `network ${Name}`),
    ...volumes.map(({ Name }) => `volume ${Name}`),
  ].sort();
}
