import type Docker from "dockerode";
import { withDocker } from "../../scripts/docker/client.ts";
import type { Properties } from "../plugin/values.ts";

/**
 * Does work with the Docker engine that a resource's inputs name.
 *
 * @throws OperationError where the engine cannot be reached or refuses
 */
export function onEngine<T>({ dockerHost }: Properties, work: (docker: Docker) => Promise<T>): Promise<T> {
  return withDocker(dockerHost as string | undefined, work);
}
