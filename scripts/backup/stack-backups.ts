import type Docker from "dockerode";
import type { DockerOwner } from "../docker/labels.ts";
import { withScratchContainer } from "../docker/scratch-container.ts";

/** Where a stack's backups are and what makes them. */
export interface StackBackups {
  owner: Omit<DockerOwner, "role">;
  /** Name of the container that makes them. */
  container: string;
  /** Name of the server's. */
  server: string;
  /** Id of the image that both run. */
  image: string;
  /** Names of volumes. */
  volumes: { repository: string; configuration: string };
  /** In cron's syntax, UTC. */
  schedule: { full: string; incremental: string };
}

/** Where images of the kit have what pgBackRest uses. */
export const paths = {
  repository: "/var/lib/pgbackrest",
  configuration: "/etc/pgroundwork",
  cluster: "/var/lib/postgresql",
  data: "/var/lib/postgresql/17/data",
} as const;

/** What tells pgBackRest in a scratch container where its configuration is. */
export const environment: Readonly<Record<string, string>> = {
  PGBACKREST_CONFIG: `${paths.configuration}/pgbackrest.conf`,
  PGBACKREST_STANZA: "main",
};

/** How long a container that only looks may live, in seconds, should nobody take it away. */
const lifetime = "600";

/** Has a container that sees a stack's repository: the one that makes backups where it runs, else one for the time of the work. */
export async function withRepository<T>(
  docker: Docker,
  stack: StackBackups,
  isRunning: boolean,
  work: (container: string) => Promise<T>,
): Promise<T> {
  if (isRunning) return work(stack.container);
  const { owner, image, volumes } = stack;
  const spec = {
    owner,
    image,
    command: ["sleep", lifetime],
    environment,
    readOnlyVolumes: { [paths.repository]: volumes.repository, [paths.configuration]: volumes.configuration },
  };
  return withScratchContainer(docker, spec, async (container) => {
    await container.start();
    return work(container.id);
  });
}
