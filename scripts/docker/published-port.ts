import type Docker from "dockerode";
import { OperationError } from "../errors/operation-error.ts";
import { listenFailure } from "../server/port.ts";
import type { DockerOwner } from "./labels.ts";

export interface PublishedPort {
  /** Of the engine's machine. */
  address: string;
  port: number;
}

/**
 * Refuses a port that a container of a stack could not have: one of this machine's that another program listens on, or another container has. What the stack's own
 * containers have is theirs.
 *
 * @throws OperationError naming who has it
 */
export async function requireFreeToPublish(
  docker: Docker,
  { address, port }: PublishedPort,
  { project, stack, owner }: Omit<DockerOwner, "role">,
): Promise<void> {
  const holders = await docker.listContainers({ filters: { publish: [String(port)] } });
  const isOwn = ({ Labels: labels }: Docker.ContainerInfo) =>
    Object.entries({ project, stack, owner }).every(([key, value]) => labels[`pgroundwork.${key}`] === value);
  if (holders.some(isOwn)) return;
  const failure = await listenFailure(address, port);
  // The engine may open what this user may not.
  if (failure === undefined || failure.code === "EACCES") return;
  if (failure.code !== "EADDRINUSE")
    throw new OperationError(`Port ${port} cannot be opened on ${address}: ${failure.message}.`, {
      remedy: "Correct pgroundwork:bindAddress: it is an address of the machine that the Docker engine runs on.",
      cause: failure,
    });
  const holder = holders[0]?.Names[0]?.replace(/^\//, "");
  const whose = holder === undefined ? "another program" : `the container ${holder}`;
  throw new OperationError(`Port ${port} on ${address} is taken: ${whose} has it.`, {
    remedy: "Stop that one, or choose another port. Nothing was changed.",
    cause: failure,
  });
}
