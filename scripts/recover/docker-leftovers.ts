import type Docker from "dockerode";
import {
  type Belongings,
  belongingsOf,
  type DockerContainer,
  type DockerStack,
  removeContainer,
} from "../docker/belongings.ts";
import { withDocker } from "../docker/client.ts";
import { scratchHolder } from "../docker/scratch-holder.ts";
import { ownersOf } from "../docker/stack-owners.ts";
import { OperationError } from "../errors/operation-error.ts";
import { declaredSettings } from "../stack/declared-settings.ts";
import { dockerPlaceIn } from "../stack/docker-place.ts";
import type { StackState, StateResource } from "../stack/stack-state.ts";
import type { Finding, Scene } from "./finding.ts";

/**
 * What is in a Docker engine of a stack's own and nobody works with any more: containers made for a moment's work, and what no state knows. Other stacks' and other
 * clones' things bear other marks.
 */
export async function dockerLeftovers(
  scene: Scene,
  project: string,
  state: StackState | undefined,
): Promise<Finding[]> {
  const { root, stack } = scene;
  const resources = state?.deployment.resources ?? [];
  const place = dockerPlaceIn(resources);
  const { docker: declared } = await declaredSettings(root, stack);
  if (place === undefined && declared === undefined) return [];
  const host = place === undefined ? declared?.host : place.host;
  const own: DockerStack = { project, stack, owners: ownersOf(scene, place?.owner) };
  try {
    return await withDocker(host, async (docker) => {
      const belongings = await belongingsOf(docker, own);
      return [...(await scratchFindings(host, belongings)), ...unknownFindings(stack, belongings, resources)];
    });
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    const found = `could not tell what a killed run left in the Docker engine: ${error.message}`;
    return [{ kind: "container", found, ...(error.remedy === undefined ? {} : { advice: error.remedy }) }];
  }
}

const isScratch = ({ role }: { role: string }) => role === "scratch";

async function scratchFindings(host: string | undefined, { containers }: Belongings): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const container of containers.filter(isScratch)) {
    const holder = await scratchHolder(container.holder);
    if (holder === "living") continue;
    const found = `a container that was made for a moment's work is left in the Docker engine: ${container.name}`;
    findings.push(
      holder === "gone"
        ? { kind: "container", found, action: "remove it", act: () => remove(host, container) }
        : {
            kind: "container",
            found,
            advice: `Whoever made it ran on another machine, and cannot be told dead from here. If it was killed: docker rm -f ${container.name}`,
          },
    );
  }
  return findings;
}

function remove(host: string | undefined, container: DockerContainer): Promise<void> {
  return withDocker(host, (docker: Docker) => removeContainer(docker, container, 0));
}

/** Names of what is in the Docker engine, by the type of resource that it is in a state. */
const kinds = [
  { type: "docker:index/container:Container", word: "container", of: ({ containers }: Belongings) => containers },
  { type: "docker:index/network:Network", word: "network", of: ({ networks }: Belongings) => networks },
  { type: "docker:index/volume:Volume", word: "volume", of: ({ volumes }: Belongings) => volumes },
];

function unknownFindings(stack: string, belongings: Belongings, resources: readonly StateResource[]): Finding[] {
  const unknown = kinds.flatMap(({ type, word, of }) => {
    const known = new Set(resources.filter((each) => each.type === type).map(({ outputs }) => outputs?.name));
    const things = of(belongings).filter((thing) => !isScratch(thing) && !known.has(thing.name));
    return things.map(({ name }) => `${word} ${name}`);
  });
  if (unknown.length === 0) return [];
  return [
    {
      kind: "server",
      found: `the state of stack "${stack}" does not know what is there of it in the Docker engine: ${unknown.join(", ")}`,
      advice: "The next `up` takes it over, with new passwords.",
    },
  ];
}
