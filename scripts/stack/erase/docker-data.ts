import type Docker from "dockerode";
import { exitCode, OperationError } from "../../core/operation-error.ts";
import { isSameDirectory } from "../../core/same-directory.ts";
import { requireUnchanged } from "../../core/unchanged.ts";
import { withDocker } from "../../docker/client.ts";
import { removeImage } from "../../docker/image.ts";
import {
  type DockerStack,
  removeContainer,
  removeNetwork,
  removeVolume,
  type StackObjects,
  stackObjectsOf,
} from "../../docker/stack-objects.ts";
import { upCommand } from "../../model/command-lines.ts";
import type { VolumesPlace } from "../begun-erasure.ts";
import { claimantOf, forgetClaim } from "../docker-claim.ts";
import type { Stack } from "../stack.ts";
import type { StackContent } from "../stack-content.ts";
import { outputsConnection } from "./outputs-connection.ts";
import { type ErasableData, type FoundData, leftAlone, type StackData } from "./stack-data.ts";
import { type FoundVolume, findVolumes, removeOwnVolume } from "./volumes.ts";

/** Time in seconds that a container has to end before it is killed. A large server writes a checkpoint in this time. */
const stopTimeoutSeconds = 300;

/** A stack in one Docker engine. */
export interface ErasureContext {
  /** Docker engine. undefined for the local one. */
  host: string | undefined;
  /** See `dataHome`. */
  home: string;
  /** True if the stack's state is in the project directory. */
  isLocal: boolean;
  stack: DockerStack;
  content: StackContent;
  /** Owner mark that this project directory uses. */
  ownMark: string;
  /** Locations in this engine from an unfinished erasure. */
  begun: readonly VolumesPlace[];
}

/** Returns a stack's data in a Docker engine: containers, networks and volumes. */
export function dockerData(stack: Stack, context: ErasureContext): StackData {
  const { host, stack: inEngine, content } = context;
  const prefix = content.docker?.prefix ?? `${inEngine.project}-${inEngine.stack}`;
  return {
    look: () =>
      withDocker(host, async (docker) => {
        const objects = await stackObjectsOf(docker, inEngine);
        const { containers, networks, volumes } = objects;
        const server = serverOf(objects);
        const data = volumes.find(({ role }) => role === "data");
        const staying = volumes.filter((volume) => stays(context, volume));
        const going = volumes.filter((volume) => !staying.includes(volume));
        return {
          running: server?.running ? `the server in the container ${server.name}` : undefined,
          hasData: data !== undefined,
          place: `the volume ${data?.name ?? `${prefix}-data`}`,
          goes: [...listed("container", containers), ...listed("network", networks), ...listed("volume", going)],
          stays: [
            ...staying.filter((volume) => volume !== data).map(describeVolume),
            ...(content.docker?.images ?? []).map((image) => `the image ${image}`),
          ],
          firstStep: undefined,
          answer: { dataVolume: data?.name ?? null },
          facts: factsOf(objects),
        };
      }),

    stop: ({ facts }) =>
      withDocker(host, async (docker) => {
        const objects = await stackObjectsOf(docker, inEngine);
        requireUnchanged(`Stack "${inEngine.stack}"`, facts, [...facts, ...factsOf(objects)], leftAlone);
        await removeRunning(docker, objects, stopTimeoutSeconds);
        for (const volume of objects.volumes.filter((each) => !stays(context, each)))
          await removeVolume(docker, volume);
      }),

    async admin() {
      if (!content.isUp) return { reason: "no `up` of the stack has completed" };
      const runs = await withDocker(host, async (docker) => serverOf(await stackObjectsOf(docker, inEngine))?.running);
      const connection = runs ? await outputsConnection(stack) : undefined;
      return connection === undefined ? { reason: "the server is not running" } : { connection };
    },

    find: () => withDocker(host, (docker) => findErasable(docker, stack, context)),
  };
}

/**
 * Requires that the objects belong to this project directory: by the mark in the state, or by the record of an `up`
 * after the directory was moved. Copies were refused before.
 */
async function requireOwnMark({ root }: Stack, context: ErasureContext): Promise<void> {
  const { content, ownMark, home, isLocal } = context;
  const { project, stack } = context.stack;
  const { docker } = content;
  if (docker === undefined || docker.owner === ownMark) return;
  // A recorded directory that is gone may be on a disk that is not mounted now, so only an `up` in this one counts.
  const claimant = claimantOf({ home, project, stack, owner: docker.owner });
  if (claimant !== undefined && (await isSameDirectory(claimant, root))) return;
  const first = isLocal ? `run \`${upCommand(stack)}\` once` : `remove the volume ${docker.prefix}-data by hand`;
  throw new OperationError(
    `Another project directory created the Docker objects of stack "${stack}", and this one may be a copy of it. Nothing was deleted.`,
    {
      hint: `Erase it there. If this project directory was moved and the other is gone, ${first}, then erase again.`,
      exitCode: exitCode.notAllowed,
    },
  );
}

async function findErasable(docker: Docker, project: Stack, context: ErasureContext): Promise<ErasableData> {
  const { host, stack, content, begun } = context;
  await requireOwnMark(project, context);
  const recorded = [
    ...(content.docker?.volumes ?? []).map(({ name }) => name),
    ...begun.flatMap(({ volumes }) => volumes),
  ];
  const objects = await stackObjectsOf(docker, stack);
  const volumes = await findVolumes(docker, stack, objects.volumes, recorded);
  const server = serverOf(objects);
  const state = server?.running ? `running in the container ${server.name}` : "stopped";
  const [owner = ""] = stack.owners;
  const others = [...listed("container", objects.containers), ...listed("network", objects.networks)];
  const isThere = volumes.length > 0 || others.length > 0;
  return {
    found: [
      ...volumes.filter((volume) => stays(context, volume)).map((volume) => describeFound(volume, state)),
      ...(volumes.length === 0 && others.length > 0
        ? [{ what: others.join(", "), bytes: 0, state: "no data", hasData: false, told: objects }]
        : []),
    ],
    places: isThere ? [{ dockerHost: host, owner, volumes: volumes.map(({ name }) => name) }] : [],
    begun,
    facts: factsOf({ ...objects, volumes }),
    erase: (onStep) =>
      withDocker(host, async (client) => {
        // Listed again, because another run may have created objects that the user was not shown.
        const left = await stackObjectsOf(client, stack);
        const facts = factsOf({ ...objects, volumes });
        requireUnchanged(`Stack "${stack.stack}"`, facts, [...facts, ...factsOf(left)], leftAlone);
        await removeRunning(client, left, 0);
        for (const { name } of volumes) {
          onStep(`removing the volume ${name}`);
          await removeOwnVolume(client, stack, name);
        }
        for (const image of content.docker?.images ?? []) {
          onStep(`removing the image ${image}`);
          await removeImage(client, image);
        }
        const { project, stack: named } = stack;
        for (const mark of stack.owners) await forgetClaim({ home: context.home, project, stack: named, owner: mark });
        return { foreign: [], linked: [] };
      }),
  };
}

/** Names containers and networks with their ids, because another run can create some with the same names. */
function factsOf({ containers, networks, volumes }: StackObjects): string[] {
  return [
    ...containers.map(({ name, id }) => `the container ${name} (${id.slice(0, 12)})`),
    ...networks.map(({ name, id }) => `the network ${name} (${id.slice(0, 12)})`),
    ...volumes.map(({ name }) => `the volume ${name}`),
  ];
}

/** Removes containers and networks. The server comes after the containers that use it. */
async function removeRunning(docker: Docker, { containers, networks }: StackObjects, seconds: number): Promise<void> {
  const isServer = ({ role }: { role: string }) => role === "postgres";
  for (const container of [...containers.filter((each) => !isServer(each)), ...containers.filter(isServer)])
    await removeContainer(docker, container, seconds);
  for (const network of networks) await removeNetwork(docker, network);
}

function serverOf({ containers }: StackObjects) {
  return containers.find(({ role }) => role === "postgres");
}

/**
 * Returns true if a volume stays. One that the state does not know stays, unless `up` creates its content again from
 * the settings.
 */
function stays({ content }: ErasureContext, { name, role }: { name: string; role: string }): boolean {
  return content.docker?.volumes.find((each) => each.name === name)?.stays ?? !/(^|-)(config|run)$/.test(role);
}

/** Lists names: `the container a`, `the networks b, c` */
function listed(kind: string, things: readonly { name: string }[]): string[] {
  if (things.length === 0) return [];
  return [`the ${kind}${things.length === 1 ? "" : "s"} ${things.map(({ name }) => name).join(", ")}`];
}

function describeVolume({ name, role }: { name: string; role: string }): string {
  if (role === "data") return `the server's data in the volume ${name}`;
  return /^backup(-2)?$/.test(role) ? `the backups in the volume ${name}` : `the volume ${name} (${role})`;
}

function describeFound(volume: FoundVolume, state: string): FoundData {
  const { name, role, bytes } = volume;
  return { what: describeVolume(volume), bytes, state, hasData: true, told: { volume: name, role, bytes } };
}
