import type Docker from "dockerode";
import { OperationError } from "../core/operation-error.ts";
import type { DockerOwner } from "../model/labels.ts";
import { listenFailure } from "../server/port.ts";

export interface PublishedPort {
  /** Address on the engine's machine. */
  address: string;
  port: number;
}

/**
 * Refuses a port that a stack's container cannot publish, because a program or another container of this machine
 * listens on it. A port that the stack's own containers publish is accepted.
 *
 * @throws OperationError that names the holder of the port
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
  // The engine may open ports that this user may not.
  if (failure === undefined || failure.code === "EACCES") return;
  if (failure.code !== "EADDRINUSE")
    throw new OperationError(`Cannot open port ${port} on ${address}: ${failure.message}.`, {
      hint: "Correct pgroundwork:bindAddress. It must be an address of the machine that the Docker engine runs on.",
      cause: failure,
    });
  const holder = holders[0]?.Names[0]?.replace(/^\//, "");
  const whose = holder === undefined ? "another program" : `the container ${holder}`;
  throw new OperationError(`Port ${port} on ${address} is in use by ${whose}.`, {
    hint: "Stop it or choose another port. Nothing was changed.",
    cause: failure,
  });
}
