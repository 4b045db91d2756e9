import type Docker from "dockerode";
import { withDocker } from "../../../scripts/docker/client.ts";
import type { Properties } from "../../provider-protocol/values.ts";

/**
 * Runs a function with the Docker engine that a resource's inputs name.
 *
 * @throws OperationError if the engine cannot be reached or refuses a request
 */
export function onEngine<T>({ dockerHost }: Properties, work: (docker: Docker) => Promise<T>): Promise<T> {
  return withDocker(dockerHost as string | undefined, work);
}
