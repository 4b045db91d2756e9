import type { StackBackups } from "../../../backup/stack-backups.ts";
import { exitCode, OperationError } from "../../../core/operation-error.ts";
import type { CommandContext } from "../../context.ts";
import { outputsOf } from "../../stack.ts";

/**
 * Returns the backups of a stack, and the Docker engine that holds them.
 *
 * @throws OperationError (wrong usage) if the stack makes no backups
 */
export async function backupsOf(
  context: CommandContext,
  stack: string,
): Promise<{ backups: StackBackups; dockerHost: string | undefined }> {
  const { projectName } = await import("../../../stack/project.ts");
  const { server } = await outputsOf(context, stack, false);
  if (server.kind !== "docker" || server.backups === undefined) {
    const hint =
      server.kind === "docker"
        ? `Set pgroundwork:backups to true in Pulumi.${stack}.yaml, and run \`up\`.`
        : "Only servers in containers have backups: pgroundwork:server docker.";
    throw new OperationError(`Stack "${stack}" has no backups.`, { hint, exitCode: exitCode.usage });
  }
  const { container, image, volumes, schedule } = server.backups;
  const owner = { project: await projectName(context.root), stack, owner: server.owner };
  return {
    backups: { owner, container, server: server.container, image, volumes, schedule },
    dockerHost: server.dockerHost,
  };
}
