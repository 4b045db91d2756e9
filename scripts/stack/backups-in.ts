import type { StackBackups } from "../backup/stack-backups.ts";
import type { DockerOwner } from "../model/labels.ts";
import type { RepositoryOutput, ServerOutput } from "../model/stack-outputs.ts";

/** Repositories of a stack's backups. */
export interface StackRepositories {
  backups: StackBackups;
  /** The second repository. Omitted if there is one only. */
  second?: StackBackups;
  dockerHost: string | undefined;
}

/** Finds the backups of a stack in its outputs. Returns undefined if it makes none. */
export function backupsIn(
  server: ServerOutput,
  { project, stack }: Pick<DockerOwner, "project" | "stack">,
): StackRepositories | undefined {
  if (server.kind !== "docker" || server.backups === undefined) return undefined;
  const owner = { project, stack, owner: server.owner };
  const { second, drill, objectives, evidence, ...first } = server.backups;
  const located = (output: RepositoryOutput, number: number): StackBackups => {
    const { container, image, volumes, schedule, configurationFile, network } = output;
    return {
      ...{ owner, container, server: server.container, image, volumes, schedule },
      ...(configurationFile === undefined ? {} : { configurationFile }),
      ...(network === undefined ? {} : { network }),
      ...(second === undefined ? {} : { repository: number }),
    };
  };
  return {
    dockerHost: server.dockerHost,
    backups: { ...located(first, 1), drill, objectives, drillContainer: evidence?.container },
    ...(second === undefined ? {} : { second: located(second, 2) }),
  };
}
