import type Docker from "dockerode";
import { type DockerOwner, labelsToFind } from "../model/labels.ts";

/** Seconds that a container may take to stop before it is killed. */
const stopTimeoutSeconds = 300;

/**
 * Stops a stack's containers: first those that use the server, then the server. Removes nothing.
 *
 * @returns the names of the containers that ran
 */
export async function stopContainers(docker: Docker, owner: Omit<DockerOwner, "role">): Promise<string[]> {
  const running = await docker.listContainers({ filters: { label: labelsToFind(owner) } });
  const isServer = (container: Docker.ContainerInfo) => container.Labels["pgroundwork.role"] === "postgres";
  const ordered = [...running.filter((each) => !isServer(each)), ...running.filter(isServer)];
  for (const { Id } of ordered) await docker.getContainer(Id).stop({ t: stopTimeoutSeconds });
  return ordered.map(({ Names: [name = ""] }) => name.replace(/^\//, ""));
}
