import type Docker from "dockerode";
import { OperationError } from "../core/operation-error.ts";
import { poll } from "../core/poll.ts";
import { unlessMissing } from "./docker-error.ts";
import {
  type DockerContainer,
  type DockerThing,
  removeContainer,
  removeNetwork,
  type StackObjects,
} from "./stack-objects.ts";

/** A resource of a stack's state, with the fields that identify an object in the Docker engine. */
interface KnownResource {
  type: string;
  id?: string;
  outputs?: Readonly<Record<string, unknown>>;
  delete?: boolean;
  pendingReplacement?: boolean;
}

/**
 * Objects of a stack in its Docker engine that its state does not contain: a killed command left them, or the state was
 * lost.
 */
export interface Unknown {
  containers: DockerContainer[];
  networks: DockerThing[];
  volumes: DockerThing[];
}

/** Seconds that a container may take to stop. It can be a server that writes a checkpoint. */
const stopTimeoutSeconds = 300;

/** Time in ms that a Docker engine may take to remove an object. */
const removalTimeoutMs = 60_000;
const pollIntervalMs = 200;

const inNoState = ["scratch", "restored"];

/**
 * Compares objects that have a stack's labels with its state. Ignores scratch objects and restored clusters, because no
 * state contains them.
 */
export function unknownTo(resources: readonly KnownResource[], objects: StackObjects): Unknown {
  const unknown = <Thing extends DockerThing>(type: string, things: readonly Thing[]): Thing[] => {
    const known = resources.filter((each) => each.type === type);
    return things.filter((thing) => !inNoState.includes(thing.role) && !known.some((each) => isOf(each, thing)));
  };
  return {
    containers: unknown("docker:index/container:Container", objects.containers),
    networks: unknown("docker:index/network:Network", objects.networks),
    volumes: unknown("docker:index/volume:Volume", objects.volumes),
  };
}

/**
 * Returns true if a resource is this object. A resource marked for deletion matches only by its id, because its
 * successor can have the name.
 */
function isOf({ id, outputs, delete: isOld, pendingReplacement }: KnownResource, thing: DockerThing): boolean {
  if (pendingReplacement) return false;
  return id === thing.id || (isOld !== true && outputs?.name === thing.name);
}

/**
 * Removes containers and networks that are not in the state. They contain no data, and the official docker plugin could
 * not create others with the same names. Keeps volumes, because creating one of the same name adopts them.
 *
 * @returns names of the removed objects
 * @throws OperationError if a container that is not the stack's uses a network
 */
export async function removeUnknown(docker: Docker, { containers, networks }: Unknown): Promise<string[]> {
  const removed: string[] = [];
  for (const container of containers) {
    await removeContainer(docker, container, container.running ? stopTimeoutSeconds : 0);
    await untilGone(`container ${container.name}`, () => docker.getContainer(container.id).inspect());
    removed.push(`container ${container.name}`);
  }
  for (const network of networks) {
    await requireUnused(docker, network);
    await removeNetwork(docker, network);
    await untilGone(`network ${network.name}`, () => docker.getNetwork(network.id).inspect());
    removed.push(`network ${network.name}`);
  }
  return removed;
}

async function requireUnused(docker: Docker, { id, name }: DockerThing): Promise<void> {
  const users = await docker.listContainers({ filters: { network: [id] } });
  const names = users.map(({ Id, Names: [own = Id] }) => own.replace(/^\//, ""));
  const [first] = names;
  if (first === undefined) return;
  throw new OperationError(
    `The network ${name} of this stack is not in its state and cannot be removed: ${names.join(", ")} ${names.length === 1 ? "uses" : "use"} it.`,
    { hint: `Disconnect containers of others: docker network disconnect --force ${name} ${first}` },
  );
}

async function untilGone(thing: string, inspect: () => Promise<unknown>): Promise<void> {
  await poll(async () => ((await unlessMissing(inspect())) === undefined ? true : undefined), {
    intervalMs: pollIntervalMs,
    timeoutMs: removalTimeoutMs,
    timedOut: () =>
      new OperationError(`The Docker engine did not remove the ${thing} within ${removalTimeoutMs / 1000} s.`, {
        hint: "See the Docker engine's log.",
      }),
  });
}
