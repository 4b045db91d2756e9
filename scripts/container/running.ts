import type Docker from "dockerode";
import { isMissing, unlessMissing } from "../docker/docker-error.ts";
import { OperationError } from "../errors/operation-error.ts";

/** Whether a container runs; one that is gone does not. */
export async function isRunning(docker: Docker, container: string): Promise<boolean> {
  const state = (await unlessMissing(docker.getContainer(container).inspect()))?.State;
  return state?.Running === true && !state.Restarting;
}

/**
 * Starts a container that does not run.
 *
 * @throws OperationError where it is gone
 */
export async function startContainer(docker: Docker, container: string): Promise<void> {
  try {
    // No error where it runs already.
    if (!(await isRunning(docker, container))) await docker.getContainer(container).start();
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new OperationError(`The container ${container} is gone, and the stack's state does not know it yet.`, {
      remedy: "Run `npm run pgw -- refresh --stack NAME`, then `up`.",
    });
  }
}
