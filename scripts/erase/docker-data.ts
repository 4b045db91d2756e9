import type Docker from "dockerode";
import {
  type Belongings,
  belongingsOf,
  type DockerStack,
  removeContainer,
  removeNetwork,
  removeVolume,
} from "../docker/belongings.ts";
import { withDocker } from "../docker/client.ts";
import { exitCode, OperationError } from "../errors/operation-error.ts";
import type { VolumesPlace } from "../stack/begun-erasure.ts";
import type { StateAccess } from "../stack/stack-state.ts";
import { outputsConnection } from "./outputs-connection.ts";
import type { StackContent } from "./stack-content.ts";
import type { ErasableData, FoundData, StackData } from "./stack-data.ts";
import { type FoundVolume, findVolumes, removeOwnVolume } from "./volumes.ts";

/** How long a container may take to end before it is killed, in seconds: a checkpoint of a large server is written meanwhile. */
const patience = 300;

/** A stack's place in one Docker engine. */
export interface DockerScene {
  /** The engine; undefined: this machine's own. */
  host: string | undefined;
  stack: DockerStack;
  content: StackContent;
  /** The mark that a run of this clone gives. */
  ownMark: string;
  /** Of an erasure there that was not finished. */
  begun: readonly VolumesPlace[];
}

/** What the docker kind of server has of a stack: containers, networks and volumes in a Docker engine. */
export function dockerData(access: StateAccess, scene: DockerScene): StackData {
  const { host, stack, content } = scene;
  const prefix = content.docker?.prefix ?? `${stack.project}-${stack.stack}`;
  return {
    look: () =>
      withDocker(host, async (docker) => {
        const belongings = await belongingsOf(docker, stack);
        const { containers, networks, volumes } = belongings;
        const server = serverOf(belongings);
        const data = volumes.find(({ role }) => role === "data");
        const staying = volumes.filter((volume) => stays(scene, volume));
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
          wayBack: undefined,
          answer: { dataVolume: data?.name ?? null },
        };
      }),

    stop: () =>
      withDocker(host, async (docker) => {
        const belongings = await belongingsOf(docker, stack);
        await removeRunning(docker, belongings, patience);
        for (const volume of belongings.volumes.filter((each) => !stays(scene, each)))
          await removeVolume(docker, volume);
      }),

    async admin() {
      if (!content.isUp) return undefined;
      const runs = await withDocker(host, async (docker) => serverOf(await belongingsOf(docker, stack))?.running);
      return runs ? outputsConnection(access) : undefined;
    },

    find: () => withDocker(host, (docker) => findErasable(docker, scene)),
  };
}

/** A copy of a clone has the state of the original, and in it the original's mark. */
function requireOwnMark({ content, ownMark, stack }: DockerScene): void {
  if (content.docker === undefined || content.docker.owner === ownMark) return;
  throw new OperationError(
    `What stack "${stack.stack}" has in the Docker engine was made by a clone in another place, and this may be a copy of it. Nothing was deleted.`,
    {
      remedy: `Erase it there. If this clone was moved and the other is gone: take the stack down (without --erase), then remove the volume ${content.docker.prefix}-data by hand.`,
      exitCode: exitCode.notAllowed,
    },
  );
}

async function findErasable(docker: Docker, scene: DockerScene): Promise<ErasableData> {
  const { host, stack, content, begun } = scene;
  requireOwnMark(scene);
  const recorded = [
    ...(content.docker?.volumes ?? []).map(({ name }) => name),
    ...begun.flatMap(({ volumes }) => volumes),
  ];
  const belongings = await belongingsOf(docker, stack);
  const volumes = await findVolumes(docker, stack, belongings.volumes, recorded);
  const server = serverOf(belongings);
  const state = server?.running ? `running in the container ${server.name}` : "stopped";
  const [owner = ""] = stack.owners;
  const others = [...listed("container", belongings.containers), ...listed("network", belongings.networks)];
  const isThere = volumes.length > 0 || others.length > 0;
  return {
    found: [
      ...volumes.filter((volume) => stays(scene, volume)).map((volume) => describeFound(volume, state)),
      ...(volumes.length === 0 && others.length > 0
        ? [{ what: others.join(", "), bytes: 0, state: "no data", hasData: false, told: belongings }]
        : []),
    ],
    places: isThere ? [{ dockerHost: host, owner, volumes: volumes.map(({ name }) => name) }] : [],
    begun,
    erase: (onStep) =>
      withDocker(host, async (client) => {
        // Listed again: a run that is gone by now may have made more.
        await removeRunning(client, await belongingsOf(client, stack), 0);
        const left = (await belongingsOf(client, stack)).volumes;
        const names = [...new Set([...volumes, ...left].map(({ name }) => name))];
        for (const name of names) {
          onStep(`removing the volume ${name}`);
          await removeOwnVolume(client, stack, name);
        }
        return { foreign: [], linked: [] };
      }),
  };
}

/** Removes what runs and what it runs in: those that use the server before it. */
async function removeRunning(docker: Docker, { containers, networks }: Belongings, seconds: number): Promise<void> {
  const isServer = ({ role }: { role: string }) => role === "postgres";
  for (const container of [...containers.filter((each) => !isServer(each)), ...containers.filter(isServer)])
    await removeContainer(docker, container, seconds);
  for (const network of networks) await removeNetwork(docker, network);
}

function serverOf({ containers }: Belongings) {
  return containers.find(({ role }) => role === "postgres");
}

/** What the state does not know stays unless it is made anew from what is declared. */
function stays({ content }: DockerScene, { name, role }: { name: string; role: string }): boolean {
  return content.docker?.volumes.find((each) => each.name === name)?.stays ?? !/(^|-)(config|run)$/.test(role);
}

/** `the container a`, `the networks b, c` */
function listed(kind: string, things: readonly { name: string }[]): string[] {
  if (things.length === 0) return [];
  return [`the ${kind}${things.length === 1 ? "" : "s"} ${things.map(({ name }) => name).join(", ")}`];
}

function describeVolume({ name, role }: { name: string; role: string }): string {
  if (role === "data") return `the server's data in the volume ${name}`;
  return role === "backup" ? `the backups in the volume ${name}` : `the volume ${name} (${role})`;
}

function describeFound(volume: FoundVolume, state: string): FoundData {
  const { name, role, bytes } = volume;
  return { what: describeVolume(volume), bytes, state, hasData: true, told: { volume: name, role, bytes } };
}
