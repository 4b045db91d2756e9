import type Docker from "dockerode";
import { OperationError } from "../errors/operation-error.ts";
import { unlessMissing } from "./docker-error.ts";

/** Whether an engine has an image. */
export async function hasImage(docker: Docker, image: string): Promise<boolean> {
  return (await unlessMissing(docker.getImage(image).inspect())) !== undefined;
}

/**
 * Has an engine pull an image.
 *
 * @throws OperationError where it cannot
 */
export async function pullImage(docker: Docker, image: string): Promise<void> {
  try {
    const progress = await docker.pull(image);
    await new Promise<void>((resolve, reject) => {
      docker.modem.followProgress(progress, (error) => (error ? reject(error) : resolve()));
    });
  } catch (error) {
    const said = (error as { json?: { message?: string } }).json?.message ?? (error as Error).message;
    throw new OperationError(
      `The image ${image} is not in the Docker engine, and it could not be pulled: ${said.trim()}`,
      {
        remedy: `Correct pgroundwork:image. Where the registry asks for a login, pull it on the engine's machine: docker pull ${image}`,
        cause: error,
      },
    );
  }
}
