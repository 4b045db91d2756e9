import type Docker from "dockerode";
import { OperationError } from "../core/operation-error.ts";
import { readContainerFile } from "../docker/container-file.ts";
import { unlessMissing } from "../docker/docker-error.ts";
import { runInContainer } from "../docker/run-in-container.ts";

/** Folder of the kit's own records. It is beside the repository: a restore of the cluster must not change it. */
export const recordsFolder = "/var/lib/pgbackrest/pgroundwork";

/**
 * Reads a record beside the repository. Nothing is started: the container can be stopped.
 *
 * @param container container that mounts the repository's volume
 * @returns undefined if the record does not exist
 * @throws OperationError if the container does not exist
 */
export async function readRecord(docker: Docker, container: string, name: string): Promise<string | undefined> {
  return readFileOf(docker, container, `${recordsFolder}/${name}`);
}

/**
 * Reads a file of a container, which can be stopped.
 *
 * @returns undefined if the file does not exist
 * @throws OperationError if the container does not exist
 */
export async function readFileOf(docker: Docker, container: string, path: string): Promise<string | undefined> {
  return readContainerFile(await existingContainer(docker, container), path);
}

/**
 * Returns a container, which can be stopped.
 *
 * @throws OperationError if it does not exist
 */
export async function existingContainer(docker: Docker, container: string): Promise<Docker.Container> {
  const found = docker.getContainer(container);
  if ((await unlessMissing(found.inspect())) !== undefined) return found;
  throw new OperationError(`The container ${container} does not exist.`, { hint: "Run `up`." });
}

/**
 * Writes a record beside the repository. The file is whole at every moment.
 *
 * @param container running container that can write the repository's volume
 * @throws OperationError with the reason if it cannot be written
 */
export async function writeRecord(docker: Docker, container: string, name: string, content: string): Promise<void> {
  await replaceFile(docker, container, `${recordsFolder}/${name}`, content);
}

/** Folder of the metrics that the volume exporter reads as text. */
const metricsFolder = "/var/lib/pgroundwork/metrics";

/**
 * Writes metrics for Prometheus. All users can read them.
 *
 * @param container running container that mounts the volume with the metrics
 * @param name ends with `.prom`
 * @throws OperationError with the reason if they cannot be written
 */
export async function writeMetrics(docker: Docker, container: string, name: string, content: string): Promise<void> {
  await replaceFile(docker, container, `${metricsFolder}/${name}`, content);
}

async function replaceFile(docker: Docker, container: string, path: string, content: string): Promise<void> {
  const script = 'set -e; umask 022; mkdir -p "$(dirname "$1")"; cat >"$1.new"; sync "$1.new"; mv "$1.new" "$1"';
  const command = ["sh", "-c", script, "sh", path];
  const { code, stderr } = await runInContainer(docker, container, { command, input: content, user: "postgres" });
  if (code !== 0) throw new OperationError(`${path} could not be written: ${stderr.trim()}`);
}
