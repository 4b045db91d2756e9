import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { dockerClient } from "../../scripts/docker/client.ts";
import type { DockerStack } from "./stack.ts";

const file = "infra/images/postgres/Dockerfile";

/** Gives the stack an image of its own, so that the image can be removed. */
export async function useOwnImage(shop: DockerStack): Promise<void> {
  const dockerfile = await readFile(join(shop.clone.root, file), "utf8");
  await shop.clone.write(file, `${dockerfile}\nLABEL of="${shop.stack}"\n`);
}

/** Removes the containers, networks and image of a stack, as `docker system prune --all` does for a stopped stack. */
export async function removeOwnImage({ stack, prefix }: DockerStack): Promise<void> {
  const docker = dockerClient();
  const filters = { label: [`pgroundwork.stack=${stack}`] };
  for (const { Id } of await docker.listContainers({ all: true, filters }))
    await docker.getContainer(Id).remove({ force: true });
  for (const { Id } of await docker.listNetworks({ filters })) await docker.getNetwork(Id).remove();
  await docker.getImage(`${prefix}-postgres:17`).remove();
}
