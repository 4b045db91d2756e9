import type { Repository } from "../../../backup/info.ts";
import { exitCode, OperationError } from "../../../core/operation-error.ts";
import { backupsOf } from "../backup/stack.ts";
import type { Destruction } from "./destruction.ts";

/** Describes the last backup of a stack that is about to lose data: its end and label, or why that is not known. */
export async function describeLastBackup({ context, stack, survey }: Destruction): Promise<string> {
  // Only servers in containers have backups that the kit makes.
  if (survey.state === undefined || survey.content.docker === undefined) return "last backup: none known";
  try {
    const { backups, dockerHost } = await backupsOf(context, stack.name);
    const { withDocker } = await import("../../../docker/client.ts");
    const { isRunning } = await import("../../../docker/server/running.ts");
    const { withRepository } = await import("../../../backup/stack-backups.ts");
    const { readRepository } = await import("../../../backup/info.ts");
    const repository = await withDocker(dockerHost, async (docker) =>
      withRepository(docker, backups, await isRunning(docker, backups.container), (container) =>
        readRepository(docker, container),
      ),
    );
    return describeRepository(repository);
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    if (error.exitCode === exitCode.usage) return "last backup: none known";
    return `last backup: not known (${error.message})`;
  }
}

function describeRepository({ backups, fault }: Repository): string {
  const last = backups.at(-1);
  if (last !== undefined) return `last backup: ${last.finishedAt} (${last.label})`;
  return fault === undefined ? "last backup: none" : `last backup: not known (${fault.message})`;
}
