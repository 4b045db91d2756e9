import { buffer } from "node:stream/consumers";
import type Docker from "dockerode";
import { pack } from "tar-stream";
import { withoutHeaders } from "../../scripts/docker/container-log.ts";
import { runInContainer } from "../../scripts/docker/run-in-container.ts";
import type { DockerObjects } from "./docker-objects.ts";

/** User id of every image of the kit. */
const postgres = 999;

/** Paths at which the image expects its volumes. */
export const volumeRoot = "/var/lib/postgresql";
export const configurationFolder = "/etc/pgroundwork";

/** Minimal configuration: a socket for the superuser. */
export const leastConfiguration: Readonly<Record<string, string>> = {
  "postgresql.conf": "listen_addresses = '*'\nshared_buffers = '32MB'\n",
  "pg_hba.conf": "local all postgres peer\n",
  "pg_ident.conf": "",
};

/** Options of a container of the kit's PostgreSQL image. */
export interface PostgresContainer {
  image: string;
  /** Names of volumes. A volume that does not exist is created. */
  data: string;
  configuration: string;
  /** Differences from the options that the kit uses. */
  changed?: Partial<Docker.ContainerCreateOptions>;
  readOnlyData?: boolean;
}

/** Creates a container as the kit does, without starting it. */
export function createPostgres(objects: DockerObjects, given: PostgresContainer): Promise<Docker.Container> {
  const { image, data, configuration, changed = {}, readOnlyData = false } = given;
  return objects.docker.createContainer({
    name: objects.name("postgres"),
    Image: image,
    ...changed,
    HostConfig: {
      Init: true,
      Mounts: [
        { Type: "volume", Source: data, Target: volumeRoot, ReadOnly: readOnlyData },
        { Type: "volume", Source: configuration, Target: configurationFolder, ReadOnly: true },
      ],
      ...changed.HostConfig,
    },
  });
}

/**
 * Creates a volume with files owned by postgres. Their paths are relative to `target`; a path that ends in a slash is a
 * folder.
 */
export async function filledVolume(
  objects: DockerObjects,
  image: string,
  target: string,
  files: Readonly<Record<string, string>>,
): Promise<string> {
  const volume = objects.name("volume");
  const container = await objects.docker.createContainer({
    name: objects.name("files"),
    Image: image,
    HostConfig: { Mounts: [{ Type: "volume", Source: volume, Target: target }] },
  });
  await putFiles(container, target, files);
  await container.remove();
  return volume;
}

/** Puts files into a container, running or not. */
export async function putFiles(
  container: Docker.Container,
  target: string,
  files: Readonly<Record<string, string>>,
  mode = 0o600,
): Promise<void> {
  const archive = pack();
  for (const [path, content] of Object.entries(files)) {
    const owner = { uid: postgres, gid: postgres };
    if (path.endsWith("/")) archive.entry({ name: path, type: "directory", mode: 0o700, ...owner });
    else archive.entry({ name: path, mode, ...owner }, content);
  }
  archive.finalize();
  await container.putArchive(await buffer(archive), { path: target });
}

/**
 * Runs a query as superuser over the socket and returns the unaligned output.
 *
 * @throws Error with psql's message
 */
export async function sql(docker: Docker, container: Docker.Container, query: string): Promise<string> {
  const command = ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-f", "-"];
  const { code, stdout, stderr } = await runInContainer(docker, container.id, { command, input: query });
  if (code !== 0) throw new Error(`psql ended with ${code}: ${stderr}`);
  return stdout.trim();
}

/**
 * Runs a shell script in a running container.
 *
 * @throws Error if the script fails
 */
export async function shell(docker: Docker, container: Docker.Container, text: string): Promise<string> {
  const { code, stdout, stderr } = await runInContainer(docker, container.id, { command: ["sh", "-c", text] });
  if (code !== 0) throw new Error(`${text} ended with ${code}: ${stderr}`);
  return stdout.trim();
}

/**
 * Waits until the server answers SQL for the first time.
 *
 * @throws Error with the container's log if the container ends first
 */
export async function firstAnswer(docker: Docker, container: Docker.Container): Promise<void> {
  try {
    await shell(docker, container, "until psql -X -q -A -t -c 'select 1' >/dev/null 2>&1; do sleep 0.02; done");
  } catch (error) {
    throw new Error(`the server never answered: ${error}\n${await logs(container)}`);
  }
}

/** Creates a container, starts it, and waits until it answers SQL. */
export async function startPostgres(objects: DockerObjects, given: PostgresContainer): Promise<Docker.Container> {
  const container = await createPostgres(objects, given);
  await container.start();
  await firstAnswer(objects.docker, container);
  return container;
}

/** Starts a container that ends by itself, and waits for its end. */
export async function runToEnd(container: Docker.Container): Promise<{ code: number; log: string }> {
  await container.start();
  const { StatusCode: code } = await container.wait();
  return { code, log: await logs(container) };
}

/** Returns all output of a container to stdout and stderr, in order. */
export async function logs(container: Docker.Container): Promise<string> {
  return withoutHeaders(await container.logs({ stdout: true, stderr: true, follow: false }));
}
