import { randomBytes } from "node:crypto";
import type Docker from "dockerode";
import { afterAll } from "vitest";
import { dockerClient } from "../../scripts/docker/client.ts";
import { isConflict, isMissing } from "../../scripts/docker/docker-error.ts";

/** Docker objects that the tests of one file create. */
export interface DockerObjects {
  docker: Docker;
  /** Prefix of every name that {@link name} returns; unique to this file. */
  prefix: string;
  /**
   * Returns a new name for a container, volume or network. Any object of that name is removed after the file's last
   * test.
   */
  name(purpose: string): string;
  /** Removes all of them now. */
  remove(): Promise<void>;
}

/** Creates the names of a test file and registers the clean-up. Call it at the top of the file. */
export function dockerObjects(): DockerObjects {
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

/**
 * Removes containers, networks and volumes whose names contain a prefix. Containers come first, because they use the
 * others.
 */
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
    // Already removed, or another removal is in progress.
    if (!isMissing(error) && !(isConflict(error) && /already in progress/.test(String(error)))) throw error;
  }
}
