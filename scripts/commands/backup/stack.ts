import type { StackBackups } from "../../backup/stack-backups.ts";
import { exitCode, OperationError } from "../../errors/operation-error.ts";
import { readyEngine } from "../cli/engine.ts";
import type { Run } from "../cli/run.ts";

/**
 * Where a stack's backups are, and on which engine.
 *
 * @throws OperationError (wrong usage) for a stack that makes none
 */
export async function backupsOf(
  run: Run,
  stack: string,
): Promise<{ backups: StackBackups; dockerHost: string | undefined }> {
  const { readOutputs } = await import("../../stack/outputs.ts");
  const { projectName } = await import("../../stack/project.ts");
  const engine = await readyEngine(run, { quiet: true });
  const { server } = await readOutputs(engine, run.root, stack, false);
  if (server.kind !== "docker" || server.backups === undefined) {
    const remedy =
      server.kind === "docker"
        ? `Set pgroundwork:backups to true in Pulumi.${stack}.yaml, and run \`up\`.`
        : "Servers in containers have them: pgroundwork:server docker.";
    throw new OperationError(`Stack "${stack}" makes no backups.`, { remedy, exitCode: exitCode.usage });
  }
  const { container, image, volumes, schedule } = server.backups;
  const owner = { project: await projectName(run.root), stack, owner: server.owner };
  return {
    backups: { owner, container, server: server.container, image, volumes, schedule },
    dockerHost: server.dockerHost,
  };
}
