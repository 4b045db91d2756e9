import type Docker from "dockerode";
import { OperationError } from "../core/operation-error.ts";
import { unlessMissing } from "./docker-error.ts";

/** Returns true if an engine has an image. */
export async function hasImage(docker: Docker, image: string): Promise<boolean> {
  return (await unlessMissing(docker.getImage(image).inspect())) !== undefined;
}

/**
 * Makes an engine pull an image.
 *
 * @throws OperationError if it cannot be pulled
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
        hint: `Correct pgroundwork:image. If the registry requires a login, pull it on the engine's machine: docker pull ${image}`,
        cause: error,
      },
    );
  }
}
