import type Docker from "dockerode";
import { OperationError } from "../errors/operation-error.ts";
import { isConflict, isMissing } from "./docker-error.ts";
import { labelsToFind, type StackName } from "./labels.ts";
import { holderLabel } from "./scratch-holder.ts";

/** A stack's name, and by which marks something of that name in a Docker engine is this stack's and no other clone's. */
export interface DockerStack extends StackName {
  owners: readonly string[];
}

/** One thing of a stack's in a Docker engine. */
export interface DockerThing {
  id: string;
  name: string;
  /** What it is for. */
  role: string;
}

export interface DockerContainer extends DockerThing {
  running: boolean;
  /** Of one for a moment's work: whose work that is. */
  holder: string | undefined;
}

/** Everything of a stack's in a Docker engine, images apart. */
export interface Belongings {
  containers: DockerContainer[];
  networks: DockerThing[];
  volumes: DockerThing[];
}

/** What the stack's labels say is its own, whether its state knows it or not. */
export async function belongingsOf(docker: Docker, { owners, ...stack }: DockerStack): Promise<Belongings> {
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
    // The engine's answer is null where there is none.
    volumes: inOrder((volumes ?? []).filter(isOwn).map(({ Name, Labels }) => thing(Name, Name, Labels))),
  };
}

type Labels = Record<string, string> | undefined;

function inOrder<Thing extends DockerThing>(things: Thing[]): Thing[] {
  return things.sort((a, b) => (a.name < b.name ? -1 : 1));
}

const ownerLabel = "pgroundwork.owner";
const roleLabel = "pgroundwork.role";

/**
 * Removes a container, and with it the volumes that only it has.
 *
 * @param patience how long it may take to end, in seconds; 0: it is ended at once
 */
export async function removeContainer(docker: Docker, { id }: DockerThing, patience: number): Promise<void> {
  const container = docker.getContainer(id);
  if (patience > 0) await unlessGone(container.stop({ t: patience }));
  await unlessGone(container.remove({ force: true, v: true }));
}

export async function removeNetwork(docker: Docker, { id }: DockerThing): Promise<void> {
  await unlessGone(docker.getNetwork(id).remove());
}

/**
 * Removes a volume and what is in it.
 *
 * @throws OperationError where a container has it that is not the stack's: nothing of it is removed
 */
export async function removeVolume(docker: Docker, { name }: DockerThing): Promise<void> {
  try {
    await unlessGone(docker.getVolume(name).remove());
  } catch (error) {
    if (!isConflict(error)) throw error;
    const users = await docker.listContainers({ all: true, filters: { volume: [name] } });
    const names = users.map(({ Id, Names: [own = Id] }) => own.replace(/^\//, ""));
    throw new OperationError(
      `The volume ${name} is in use by ${names.join(", ") || "a container"}: it was not removed.`,
      {
        remedy: "Remove that container, then try again.",
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

/** What was to be stopped had ended. */
function isUnchanged(error: unknown): boolean {
  return (error as { statusCode?: number }).statusCode === 304;
}

function isBeingRemoved(error: unknown): boolean {
  return isConflict(error) && /already in progress/.test(String(error));
}
