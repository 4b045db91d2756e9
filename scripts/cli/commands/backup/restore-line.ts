import type { StackBackups } from "../../../backup/stack-backups.ts";
import { restoreInPlaceCommand, restoreToVolumeCommand } from "../../../model/command-lines.ts";
import type { BackupsInEngine } from "./stack.ts";

/**
 * Returns the command that restores a backup: in place from the first repository, otherwise to a new volume.
 *
 * @param backups the repository, or a former generation of it, that has the backup
 */
export function restoreLine(
  { outputs }: Pick<BackupsInEngine, "outputs">,
  { owner: { project, stack }, repository = 1, formerGeneration }: StackBackups,
  label: string,
): string {
  const generation = formerGeneration === undefined ? "" : ` --generation ${formerGeneration}`;
  const target = `--backup ${label}${generation}`;
  if (repository === 1) return restoreInPlaceCommand(stack, target, outputs.protected);
  return restoreToVolumeCommand(stack, target, `${project}-${stack}-restored`, repository);
}
