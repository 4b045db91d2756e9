import type Docker from "dockerode";
import { OperationError } from "../core/operation-error.ts";
import { unlessMissing } from "../docker/docker-error.ts";
import { withScratchContainer } from "../docker/scratch-container.ts";
import type { BackupObjectives, DrillPlan } from "../model/drill-plan.ts";
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
  /** Names of volumes. If the repository is remote, its volume only has notes of the kit. */
  volumes: { repository: string; configuration: string; data: string };
  /** pgBackRest's file in the configuration volume. Default: pgbackrest.conf. */
  configurationFile?: string | undefined;
  /** Docker network through which containers reach the repository. Omitted if it is in the volume. */
  network?: string | undefined;
  /** Number of the repository, counted from 1. Omitted if the stack has one only. */
  repository?: number | undefined;
  /** Number of a former generation of the repository, which is only read. Omitted for the current one. */
  formerGeneration?: number | undefined;
  /** In cron syntax, UTC. */
  schedule: { full: string; incremental: string };
  /** Restore drills. Absent if none are planned. */
  drill?: DrillPlan | undefined;
  /** Name of the container that runs scheduled drills. Absent if there is none. */
  drillContainer?: string | undefined;
  /** Limits that the results of drills are compared with. */
  objectives?: BackupObjectives | undefined;
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

/** Returns the path of pgBackRest's configuration in containers. */
export function configurationPath({ configurationFile = "pgbackrest.conf" }: StackBackups): string {
  return `${paths.configuration}/${configurationFile}`;
}

/** Returns the options of pgBackRest that name a stack's repository. */
export function repositoryOptions(stack: StackBackups): string {
  return `--config=${configurationPath(stack)} --stanza=${stanza}`;
}

/** Maximum lifetime of a container that is read from once, in seconds, in case it is not removed. */
const lifetimeSeconds = 600;

/**
 * Runs work with a container that can read a stack's repository and cluster. This is the backup container if it runs,
 * otherwise a temporary one. The backup container reads the current generation only.
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
  if (isRunning && stack.formerGeneration === undefined) return work(stack.container);
  return withRepositoryContainer(docker, stack, { lifetimeSeconds }, work);
}

/** Docker would create a missing volume, in which there is no backup. */
async function requireRepository(docker: Docker, { volumes, network }: StackBackups): Promise<void> {
  if ((await unlessMissing(docker.getVolume(volumes.repository).inspect())) !== undefined) return;
  throw new OperationError(
    `The Docker engine has no volume ${volumes.repository}, ${network === undefined ? "in which the backups are" : "which has the notes of the backups"}.`,
    {
      hint:
        network === undefined
          ? "Correct the volume's name or the Docker engine. If the volume was deleted, the backups in it are lost."
          : "Correct the Docker engine. If the volume was deleted, run `up`: the backups themselves are outside of it.",
    },
  );
}

/**
 * Runs work with a temporary container that has a stack's repository and cluster read-only, and a writable /tmp. The
 * stack's containers need not run.
 *
 * @param options maximum lifetime, and environment variables in addition to pgBackRest's
 */
export async function withRepositoryContainer<T>(
  docker: Docker,
  stack: StackBackups,
  options: { lifetimeSeconds: number; environment?: Readonly<Record<string, string>> },
  work: (container: string) => Promise<T>,
): Promise<T> {
  const { owner, image, network, volumes, formerGeneration } = stack;
  const former = formerGeneration === undefined ? {} : { PGW_FORMER_GENERATION: String(formerGeneration) };
  const spec = {
    owner,
    image,
    network,
    command: ["sleep", String(options.lifetimeSeconds)],
    // It points pgBackRest to its configuration, and has no secret.
    environment: {
      ...{ PGBACKREST_CONFIG: configurationPath(stack), PGBACKREST_STANZA: stanza },
      ...former,
      ...options.environment,
    },
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
