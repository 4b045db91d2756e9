import { randomBytes } from "node:crypto";
import type Docker from "dockerode";
import { afterAll } from "vitest";
import { dockerClient } from "../../scripts/docker/client.ts";
import { isConflict, isMissing } from "../../scripts/docker/docker-error.ts";

/** What the tests of one file make on a Docker engine. */
export interface DockerBelongings {
  docker: Docker;
  /** Every name that {@link name} gives begins so, and nobody else's. */
  prefix: string;
  /** A new name for a container, volume or network. Whatever bears it is removed after the file's last test, whoever made it. */
  name(purpose: string): string;
  /** Removes it all now. */
  remove(): Promise<void>;
}

/** Call it at the top of a test file: it registers the clean-up. */
export function dockerBelongings(): DockerBelongings {
  const docker = dockerClient();
  const prefix = `pgw-test-${randomBytes(4).toString("hex")}`;
  let count = 0;
  const remove = () => removeNamed(prefix);
  afterAll(remove);
  return {
    docker,
    prefix,
    name: (purpose) => {
      count += 1;
      return `${prefix}-${count}-${purpose}`;
    },
    remove,
  };
}

/** Removes containers, volumes and networks whose names begin so: containers first, since they hold the others. */
export async function removeNamed(prefix: string): Promise<void> {
  const docker = dockerClient();
  const filters = { name: [prefix] };
  const containers = await docker.listContainers({ all: true, filters });
  await Promise.all(containers.map(({ Id }) => gone(docker.getContainer(Id).remove({ force: true, v: true }))));
  const networks = await docker.listNetworks({ filters });
  await Promise.all(networks.map(({ Id }) => gone(docker.getNetwork(Id).remove())));
  const { Volumes: volumes } = await docker.listVolumes({ filters });
  await Promise.all((volumes ?? []).map(({ Name }) => gone(docker.getVolume(Name).remove({ force: true }))));
}

async function gone(removal: Promise<unknown>): Promise<void> {
  try {
    await removal;
  } catch (error) {
    // Removed already, or being removed by another.
    if (!isMissing(error) && !(isConflict(error) && /already in progress/.test(String(error)))) throw error;
  }
}
