import type { StackBackups } from "../../../backup/stack-backups.ts";
import { exitCode, OperationError } from "../../../core/operation-error.ts";
import type { ServerOutput } from "../../../model/stack-outputs.ts";
import type { CommandContext } from "../../context.ts";
import { outputsOf } from "../../stack.ts";

/** Backups of a stack, and the Docker engine that holds them. */
export interface BackupsInEngine {
  backups: StackBackups;
  dockerHost: string | undefined;
}

/**
 * Returns the backups of a stack, and the Docker engine that holds them.
 *
 * @throws OperationError (wrong usage) if the stack makes no backups
 */
export async function backupsOf(context: CommandContext, stack: string): Promise<BackupsInEngine> {
  const found = await findBackups(context, stack);
  if ("backups" in found) return found;
  const hint =
    found.kind === "docker"
      ? `Set pgroundwork:backups to true in Pulumi.${stack}.yaml, and run \`up\`.`
      : "Only servers in containers have backups: pgroundwork:server docker.";
  throw new OperationError(`Stack "${stack}" has no backups.`, { hint, exitCode: exitCode.usage });
}

/** Returns the backups of a stack. If it makes none, returns only the kind of its server. */
export async function findBackups(
  context: CommandContext,
  stack: string,
): Promise<BackupsInEngine | { kind: ServerOutput["kind"] }> {
  const { projectName } = await import("../../../stack/project.ts");
  const { server } = await outputsOf(context, stack, false);
  if (server.kind !== "docker" || server.backups === undefined) return { kind: server.kind };
  const { container, image, volumes, schedule } = server.backups;
  const owner = { project: await projectName(context.root), stack, owner: server.owner };
  return {
    backups: { owner, container, server: server.container, image, volumes, schedule },
    dockerHost: server.dockerHost,
  };
}
