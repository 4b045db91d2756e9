import type Docker from "dockerode";
import { type DockerOwner, labelsToFind } from "./labels.ts";

/** How long a container may take to end before it is killed, in seconds, where it does not say so itself. */
const patience = 300;

/**
 * Stops a stack's containers, those that use the server before it, and leaves everything where it is.
 *
 * @returns the names of those that ran
 */
export async function stopContainers(docker: Docker, owner: Omit<DockerOwner, "role">): Promise<string[]> {
  const running = await docker.listContainers({ filters: { label: labelsToFind(owner) } });
  const isServer = (container: Docker.ContainerInfo) => container.Labels["pgroundwork.role"] === "postgres";
  const ordered = [...running.filter((each) => !isServer(each)), ...running.filter(isServer)];
  for (const { Id } of ordered) await docker.getContainer(Id).stop({ t: patience });
  return ordered.map(({ Names: [name = ""] }) => name.replace(/^\//, ""));
}
