import type Docker from "dockerode";
import { labelsToFind, type StackName } from "../model/labels.ts";

/** A resource of a stack's state, with the fields that identify an object in a Docker engine. */
interface RecordedResource {
  type: string;
  id?: string;
  outputs?: Readonly<Record<string, unknown>>;
  delete?: boolean;
  pendingReplacement?: boolean;
}

/** Objects that an engine has: containers that run in a network, networks and volumes. */
export interface DockerView {
  /** Ids of running containers. A container that was disconnected from all its networks is left out. */
  containers: ReadonlySet<string>;
  /** Ids of networks. */
  networks: ReadonlySet<string>;
  /** Names of volumes. */
  volumes: ReadonlySet<string>;
}

/** Looks at a stack's objects in a Docker engine, including those of stacks of the same name elsewhere. */
export async function viewStack(docker: Docker, stack: StackName): Promise<DockerView> {
  const filters = { label: labelsToFind(stack) };
  const [containers, networks, { Volumes: volumes }] = await Promise.all([
    docker.listContainers({ filters }),
    docker.listNetworks({ filters }),
    docker.listVolumes({ filters }),
  ]);
  const working = containers.filter(
    ({ State, NetworkSettings }) => State === "running" && !isAlone(NetworkSettings?.Networks ?? {}),
  );
  return {
    containers: new Set(working.map(({ Id }) => Id)),
    networks: new Set(networks.map(({ Id }) => Id)),
    // The engine returns null if there are none.
    volumes: new Set((volumes ?? []).map(({ Name }) => Name)),
  };
}

/**
 * Returns true if a state contains a container, network or volume that the engine does not have, or a container that
 * does not run or is in no network. The Pulumi engine compares declarations only with its state, so the state must be
 * refreshed first.
 *
 * It goes by the state and not by the settings, so it applies to every container of a stack: the server and its
 * sidecars.
 */
export function hasDrifted({ containers, networks, volumes }: DockerView, state: readonly RecordedResource[]): boolean {
  const found: Readonly<Record<string, (resource: RecordedResource) => boolean>> = {
    "docker:index/container:Container": ({ id }) => containers.has(id ?? ""),
    "docker:index/network:Network": ({ id }) => networks.has(id ?? ""),
    "docker:index/volume:Volume": ({ id, outputs }) => volumes.has(String(outputs?.name ?? id)),
  };
  const current = state.filter((each) => each.delete !== true && each.pendingReplacement !== true);
  return current.some((each) => found[each.type]?.(each) === false);
}

/**
 * Returns true if a container was disconnected from all networks. A container created without one has the network
 * `none`.
 */
function isAlone(networks: Readonly<Record<string, unknown>>): boolean {
  return Object.keys(networks).length === 0;
}
