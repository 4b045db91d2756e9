import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { dockerClient } from "../../../../../scripts/docker/client.ts";
import { isMissing } from "../../../../../scripts/docker/docker-error.ts";
import type { DockerStack } from "../../../stack.ts";

/** A point during an `up` on a Docker stack: its preparation, and the check that it is reached. */
export interface DockerMoment {
  name: string;
  prepare?: (shop: DockerStack) => Promise<unknown>;
  reached: (shop: DockerStack) => Promise<unknown>;
}

const docker = dockerClient();

/** Points at which runs are killed, in the order of an `up`. */
export const dockerMoments = {
  buildingImage: {
    name: "the image is built",
    prepare: slowImage,
    reached: ({ stack }) => until(async () => (await buildSteps(stack)).length > 0),
  },
  makingNetwork: {
    name: "the network is made",
    reached: ({ prefix }) => until(() => there(() => docker.getNetwork(`${prefix}-network`).inspect())),
  },
  writingFiles: {
    name: "files are written into a volume",
    reached: ({ stack }) => until(async () => (await ofStack(stack)).includes("scratch")),
  },
  initialising: {
    name: "the server initialises its data",
    reached: ({ server }) => until(() => runsIn(server, /initdb|postgres .*--(?:boot|single)/)),
  },
  makingRoles: {
    name: "roles are made",
    reached: (shop) => until(async () => (await stateOf(shop)).includes('"postgresql:index/role:Role"')),
  },
} satisfies Record<string, DockerMoment>;

/** Adds a slow last step to the image, different from every other image's. */
async function slowImage({ clone, stack }: DockerStack): Promise<void> {
  const file = "infra/images/postgres/Dockerfile";
  await clone.write(file, `${await readFile(join(clone.root, file), "utf8")}\nRUN : ${stack} && sleep 4\n`);
}

/** Lists the builder's containers that run this step. */
export async function buildSteps(stack: string): Promise<string[]> {
  const containers = await docker.listContainers({ all: true });
  return containers.filter(({ Command }) => Command.includes(`: ${stack} `)).map(({ Id }) => Id);
}

async function ofStack(stack: string): Promise<string[]> {
  const containers = await docker.listContainers({ all: true, filters: { label: [`pgroundwork.stack=${stack}`] } });
  return containers.map(({ Labels }) => Labels["pgroundwork.role"] ?? "");
}

async function runsIn(container: string, program: RegExp): Promise<boolean> {
  try {
    const { Processes: processes } = (await docker.getContainer(container).top()) as { Processes: string[][] };
    return processes.some((row) => program.test(row.join(" ")));
  } catch {
    // The container does not exist yet, or is not running yet.
    return false;
  }
}

async function there(look: () => Promise<unknown>): Promise<boolean> {
  try {
    await look();
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

async function stateOf({ clone, stack }: DockerStack): Promise<string> {
  const file = join(clone.root, ".pgroundwork", ".pulumi", "stacks", "pgroundwork", `${stack}.json`);
  return readFile(file, "utf8").catch(() => "");
}

function until(what: () => Promise<boolean>): Promise<void> {
  return expect.poll(what, { timeout: 120_000, interval: 20 }).toBe(true);
}
