import type Docker from "dockerode";
import { OperationError } from "../core/operation-error.ts";
import { labelsToFind, type StackName } from "../model/labels.ts";
import { isConflict, isMissing } from "./docker-error.ts";
import { holderLabel } from "./scratch-holder.ts";

/**
 * A stack's name, and the owner marks that distinguish its objects in a Docker engine from those of other project
 * directories.
 */
export interface DockerStack extends StackName {
  owners: readonly string[];
  /** Server whose objects to find. Omit for all objects of the stack. */
  server?: string | undefined;
}

/** An object of a stack in a Docker engine. */
export interface DockerThing {
  id: string;
  name: string;
  /** Purpose of the object. */
  role: string;
}

export interface DockerContainer extends DockerThing {
  running: boolean;
  /** Holder of a temporary container: the process that it works for. */
  holder: string | undefined;
}

export interface DockerVolume extends DockerThing {
  /** Holder of a restored volume: the process that restored it. */
  holder?: string | undefined;
}

/** All objects of a stack in a Docker engine, except images. */
export interface StackObjects {
  containers: DockerContainer[];
  networks: DockerThing[];
  volumes: DockerVolume[];
}

/** Finds a stack's objects by their labels, even if its state does not contain them. */
export async function stackObjectsOf(docker: Docker, { owners, ...stack }: DockerStack): Promise<StackObjects> {
  const filters = { label: labelsToFind(stack) };
  const [containers, networks, { Volumes: volumes }] = await Promise.all([
    docker.listContainers({ all: true, filters }),
    docker.listNetworks({ filters }),
    docker.listVolumes({ filters }),
  ]);
  const isOwn = ({ Labels }: { Labels?: Labels }) => owners.includes(Labels?.[ownerLabel] ?? "");
  const thing = (id: string, name: string, labels: Labels) => ({ id, name, role: labels?.[roleLabel] ?? "" });
  return {
    containers: inOrder(
      containers.filter(isOwn).map(({ Id, Names: [name = Id], Labels, State }) => ({
        ...thing(Id, name.replace(/^\//, ""), Labels),
        running: State === "running" || State === "restarting",
        holder: Labels[holderLabel],
      })),
    ),
    networks: inOrder(networks.filter(isOwn).map(({ Id, Name, Labels }) => thing(Id, Name, Labels))),
    // The engine returns null if there are none.
    volumes: inOrder(
      (volumes ?? []).filter(isOwn).map(({ Name, Labels }) => ({
        ...thing(Name, Name, Labels),
        holder: Labels[holderLabel],
      })),
    ),
  };
}

type Labels = Record<string, string> | undefined;

function inOrder<Thing extends DockerThing>(things: Thing[]): Thing[] {
  return things.sort((a, b) => (a.name < b.name ? -1 : 1));
}

const ownerLabel = "pgroundwork.owner";
const roleLabel = "pgroundwork.role";

/**
 * Removes a container and its anonymous volumes.
 *
 * @param stopTimeoutSeconds seconds that it may take to stop; 0 kills it at once
 */
export async function removeContainer(docker: Docker, { id }: DockerThing, stopTimeoutSeconds: number): Promise<void> {
  const container = docker.getContainer(id);
  if (stopTimeoutSeconds > 0) await unlessGone(container.stop({ t: stopTimeoutSeconds }));
  await unlessGone(container.remove({ force: true, v: true }));
}

export async function removeNetwork(docker: Docker, { id }: DockerThing): Promise<void> {
  await unlessGone(docker.getNetwork(id).remove());
}

/**
 * Removes a volume and its content.
 *
 * @throws OperationError if a container uses it; then nothing is removed
 */
export async function removeVolume(docker: Docker, { name }: DockerThing): Promise<void> {
  try {
    await unlessGone(docker.getVolume(name).remove());
  } catch (error) {
    if (!isConflict(error)) throw error;
    const users = await docker.listContainers({ all: true, filters: { volume: [name] } });
    const names = users.map(({ Id, Names: [own = Id] }) => own.replace(/^\//, ""));
    throw new OperationError(
      `The volume ${name} is in use by ${names.join(", ") || "a container"} and was not removed.`,
      {
        hint: "Remove that container, then try again.",
        cause: error,
      },
    );
  }
}

async function unlessGone(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (isMissing(error) || isUnchanged(error) || isBeingRemoved(error)) return;
    throw error;
  }
}

/** The container had already stopped. */
function isUnchanged(error: unknown): boolean {
  return (error as { statusCode?: number }).statusCode === 304;
}

function isBeingRemoved(error: unknown): boolean {
  return isConflict(error) && /already in progress/.test(String(error));
}
