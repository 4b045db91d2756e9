import type Docker from "dockerode";
import { OperationError } from "../../core/operation-error.ts";
import { withDocker } from "../../docker/client.ts";
import { scratchHolder } from "../../docker/scratch-holder.ts";
import {
  type DockerContainer,
  type DockerStack,
  type DockerThing,
  removeContainer,
  removeVolume,
  type StackObjects,
  stackObjectsOf,
} from "../../docker/stack-objects.ts";
import { removeUnknown, unknownTo } from "../../docker/unknown.ts";
import { declaredSettings } from "../declared-settings.ts";
import { dockerPlaceIn } from "../docker-place.ts";
import type { Stack } from "../stack.ts";
import { ownersOf } from "../stack-owners.ts";
import type { StackState, StateResource } from "../stack-state.ts";
import type { StackLeftover } from "./leftover.ts";

/**
 * Finds a stack's leftovers in its Docker engine: temporary containers whose process is gone, and objects missing from
 * the state. The objects of other stacks and other project directories have other marks.
 */
export async function dockerLeftovers(
  stack: Stack,
  project: string,
  state: StackState | undefined,
): Promise<StackLeftover[]> {
  const { root, name } = stack;
  const resources = state?.deployment.resources ?? [];
  const place = dockerPlaceIn(resources);
  const { docker: declared } = await declaredSettings(root, name);
  if (place === undefined && declared === undefined) return [];
  const host = place === undefined ? declared?.host : place.host;
  const own: DockerStack = { project, stack: name, owners: ownersOf(stack, place?.owner) };
  try {
    return await withDocker(host, async (docker) => {
      const objects = await stackObjectsOf(docker, own);
      return [...(await scratchLeftovers(host, objects)), ...unknownLeftovers(host, name, objects, resources)];
    });
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    const found = `could not check the Docker engine for leftovers of a killed run: ${error.message}`;
    return [
      { kind: "container", unchecked: "failed", found, ...(error.hint === undefined ? {} : { advice: error.hint }) },
    ];
  }
}

const isScratch = ({ role }: { role: string }) => role === "scratch";

async function scratchLeftovers(
  host: string | undefined,
  { containers, volumes }: StackObjects,
): Promise<StackLeftover[]> {
  const leftovers: StackLeftover[] = [];
  for (const container of containers.filter(isScratch)) {
    const holder = await scratchHolder(container.holder);
    if (holder === "living") continue;
    const found = `a temporary container is left in the Docker engine: ${container.name}`;
    leftovers.push(
      holder === "gone"
        ? { kind: "container", found, action: "remove it", act: () => remove(host, container) }
        : {
            kind: "container",
            found,
            advice: `A process on another machine created it, and may still run. If it was killed: docker rm -f ${container.name}`,
          },
    );
  }
  for (const volume of volumes.filter(isScratch)) {
    const holder = await scratchHolder(volume.holder);
    if (holder === "living") continue;
    const found = `a restore's temporary volume is left in the Docker engine: ${volume.name}`;
    const action = { action: "remove it", act: () => withDocker(host, (docker) => removeVolume(docker, volume)) };
    const byHand = `A process on another machine created it, and may still run. If it was killed: docker volume rm ${volume.name}`;
    leftovers.push({ kind: "container", found, ...(holder === "gone" ? action : { advice: byHand }) });
  }
  return leftovers;
}

function remove(host: string | undefined, container: DockerContainer): Promise<void> {
  return withDocker(host, (docker: Docker) => removeContainer(docker, container, 0));
}

/**
 * Lists objects that the state does not know. Containers and networks hold no data and are removed. Volumes are kept
 * for the next `up`.
 */
function unknownLeftovers(
  host: string | undefined,
  stack: string,
  objects: StackObjects,
  resources: readonly StateResource[],
): StackLeftover[] {
  const unknown = unknownTo(resources, objects);
  const replaceable = [...named("container", unknown.containers), ...named("network", unknown.networks)];
  const found = (things: readonly string[]) =>
    `the state of stack "${stack}" does not contain these objects in the Docker engine: ${things.join(", ")}`;
  const leftovers: StackLeftover[] = [];
  if (replaceable.length > 0) {
    leftovers.push({
      kind: "container",
      found: found(replaceable),
      action: "remove them: they hold no data, and `up` creates them again",
      act: () => withDocker(host, async (docker) => void (await removeUnknown(docker, unknown))),
    });
  }
  if (unknown.volumes.length > 0) {
    const advice = "The next `up` adopts the data and sets new passwords.";
    leftovers.push({ kind: "server", found: found(named("volume", unknown.volumes)), advice });
  }
  return leftovers;
}

function named(word: string, things: readonly DockerThing[]): string[] {
  return things.map(({ name }) => `${word} ${name}`);
}
