import type Docker from "dockerode";
import { OperationError } from "../core/operation-error.ts";
import { isConflict, unlessMissing } from "./docker-error.ts";

/** Returns true if an engine has an image. */
export async function hasImage(docker: Docker, image: string): Promise<boolean> {
  return (await unlessMissing(docker.getImage(image).inspect())) !== undefined;
}

/** Removes a name of an image, and the image if that was its last name. An image that a container uses is kept. */
export async function removeImage(docker: Docker, name: string): Promise<void> {
  try {
    await unlessMissing(docker.getImage(name).remove());
  } catch (error) {
    if (!isConflict(error)) throw error;
  }
}

/**
 * Makes sure that an engine has an image, or can pull it.
 *
 * @param setting setting that names the image
 * @param onlyLook true to ask the registry instead of pulling
 * @throws OperationError if it cannot be pulled
 */
export async function requireImage(docker: Docker, image: string, setting: string, onlyLook: boolean): Promise<void> {
  if (await hasImage(docker, image)) return;
  if (!onlyLook) return pullImage(docker, image, setting);
  await docker
    .getImage(image)
    .distribution()
    .catch((error: unknown) => {
      throw notPulled(image, setting, error);
    });
}

/**
 * Makes an engine pull an image.
 *
 * @param setting setting that names the image
 * @throws OperationError if it cannot be pulled
 */
export async function pullImage(docker: Docker, image: string, setting = "pgroundwork:image"): Promise<void> {
  try {
    const progress = await docker.pull(image);
    await new Promise<void>((resolve, reject) => {
      docker.modem.followProgress(progress, (error) => (error ? reject(error) : resolve()));
    });
  } catch (error) {
    throw notPulled(image, setting, error);
  }
}

function notPulled(image: string, setting: string, error: unknown): OperationError {
  const said = (error as { json?: { message?: string } }).json?.message ?? (error as Error).message;
  return new OperationError(
    `The image ${image} is not in the Docker engine, and it could not be pulled: ${said.trim()}`,
    {
      hint: `Correct ${setting}. If the registry requires a login, pull it on the engine's machine: docker pull ${image}`,
      cause: error,
    },
  );
}
