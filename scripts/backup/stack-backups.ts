import type Docker from "dockerode";
import { OperationError } from "../core/operation-error.ts";
import { unlessMissing } from "../docker/docker-error.ts";
import { withScratchContainer } from "../docker/scratch-container.ts";
import type { DockerOwner } from "../model/labels.ts";

/** Locations of a stack's backups and the containers that make them. */
export interface StackBackups {
  owner: Omit<DockerOwner, "role">;
  /** Name of the container that makes backups. */
  container: string;
  /** Name of the server's container. */
  server: string;
  /** ID of the image of both containers. */
  image: string;
  /** Names of volumes. */
  volumes: { repository: string; configuration: string; data: string };
  /** In cron syntax, UTC. */
  schedule: { full: string; incremental: string };
}

/** pgBackRest's name for the only cluster of a repository. */
export const stanza = "main";

/** Paths in the kit's images that pgBackRest uses. */
export const paths = {
  repository: "/var/lib/pgbackrest",
  configuration: "/etc/pgroundwork",
  cluster: "/var/lib/postgresql",
  data: "/var/lib/postgresql/17/data",
} as const;

/** Environment that points pgBackRest in a scratch container to its configuration. */
export const environment: Readonly<Record<string, string>> = {
  PGBACKREST_CONFIG: `${paths.configuration}/pgbackrest.conf`,
  PGBACKREST_STANZA: stanza,
};

/** Maximum lifetime of a container that is read from once, in seconds, in case it is not removed. */
const lifetimeSeconds = 600;

/**
 * Runs work with a container that can read a stack's repository and cluster. This is the backup container if it runs,
 * otherwise a temporary one.
 *
 * @throws OperationError if the repository's volume does not exist
 */
export async function withRepository<T>(
  docker: Docker,
  stack: StackBackups,
  isRunning: boolean,
  work: (container: string) => Promise<T>,
): Promise<T> {
  await requireRepository(docker, stack);
  if (isRunning) return work(stack.container);
  return withRepositoryContainer(docker, stack, { lifetimeSeconds }, work);
}

/** Docker would create a missing volume, in which there is no backup. */
async function requireRepository(docker: Docker, { volumes }: StackBackups): Promise<void> {
  if ((await unlessMissing(docker.getVolume(volumes.repository).inspect())) !== undefined) return;
  throw new OperationError(`The Docker engine has no volume ${volumes.repository}, in which the backups are.`, {
    hint: "Correct the volume's name or the Docker engine. If the volume was deleted, the backups in it are lost.",
  });
}

/**
 * Runs work with a temporary container that has a stack's repository and cluster read-only, and a writable /tmp. The
 * stack's containers need not run.
 *
 * @param options maximum lifetime, and environment variables in addition to pgBackRest's
 */
export async function withRepositoryContainer<T>(
  docker: Docker,
  { owner, image, volumes }: StackBackups,
  options: { lifetimeSeconds: number; environment?: Readonly<Record<string, string>> },
  work: (container: string) => Promise<T>,
): Promise<T> {
  const spec = {
    owner,
    image,
    command: ["sleep", String(options.lifetimeSeconds)],
    environment: { ...environment, ...options.environment },
    scratchFolders: ["/tmp"],
    readOnlyVolumes: {
      [paths.repository]: volumes.repository,
      [paths.configuration]: volumes.configuration,
      [paths.cluster]: volumes.data,
    },
  };
  return withScratchContainer(docker, spec, async (container) => {
    await container.start();
    return work(container.id);
  });
}
