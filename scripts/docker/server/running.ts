import type Docker from "dockerode";
import { OperationError } from "../../core/operation-error.ts";
import { isMissing, unlessMissing } from "../docker-error.ts";

/** Returns true if a container exists and runs. */
export async function isRunning(docker: Docker, container: string): Promise<boolean> {
  const state = (await unlessMissing(docker.getContainer(container).inspect()))?.State;
  return state?.Running === true && !state.Restarting;
}

/**
 * Returns true if a container runs and is not in a loop of restarts. A container that Docker restarted counts as
 * running from its first successful health check.
 */
export async function runsSteadily(docker: Docker, container: string): Promise<boolean> {
  const found = await unlessMissing(docker.getContainer(container).inspect());
  if (found?.State.Running !== true || found.State.Restarting) return false;
  return found.RestartCount === 0 || found.State.Health?.Status !== "starting";
}

/**
 * Starts a container if it does not run. If it is in a loop of restarts, its next attempt is made at once, with the
 * files as they are now. Docker itself waits up to a minute between two attempts.
 *
 * @throws OperationError if the container does not exist
 */
export async function startContainer(docker: Docker, container: string): Promise<void> {
  try {
    const { State: state } = await docker.getContainer(container).inspect();
    // The engine takes such a container for a running one, and starting it would do nothing.
    if (state.Restarting) await docker.getContainer(container).restart();
    // Starting a running container is not an error.
    else if (!state.Running) await docker.getContainer(container).start();
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new OperationError(`The container ${container} is gone, but the stack's state still contains it.`, {
      hint: "Run `npm run pgw -- refresh --stack NAME`, then `up`.",
    });
  }
}
