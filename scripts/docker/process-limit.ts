import type Docker from "dockerode";
import { unlessMissing } from "./docker-error.ts";

/**
 * Returns the maximum number of processes and threads in a container. 0: no limit. Undefined: the container does not
 * exist, or the engine's kernel cannot limit them.
 */
export async function processLimitOf(docker: Docker, container: string): Promise<number | undefined> {
  const found = await unlessMissing(docker.getContainer(container).inspect());
  if (found === undefined) return undefined;
  const limit = Math.max(found.HostConfig.PidsLimit ?? 0, 0);
  return limit === 0 && !(await canLimitProcesses(docker)) ? undefined : limit;
}

/**
 * Limits the number of processes and threads in a container, running or not.
 *
 * @returns false if the engine's kernel cannot limit them
 */
export async function setProcessLimit(docker: Docker, container: string, processes: number): Promise<boolean> {
  if (!(await canLimitProcesses(docker))) return false;
  await docker.getContainer(container).update({ PidsLimit: processes });
  return true;
}

async function canLimitProcesses(docker: Docker): Promise<boolean> {
  const info = (await docker.info()) as { PidsLimit?: boolean };
  return info.PidsLimit !== false;
}
