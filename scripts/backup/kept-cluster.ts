import { exitCode, OperationError } from "../core/operation-error.ts";
import { finishRestoreCommand, undoRestoreCommand } from "../model/command-lines.ts";

/**
 * Refuses another restore in place while the cluster from before the last one is kept.
 *
 * @param kept its folder, and the time in the folder's name
 */
export function stillKept({ time, folder }: { time: string; folder: string }, stack: string): OperationError {
  return new OperationError(`The cluster from before the restore of ${time} is still kept in ${folder}.`, {
    hint: [
      "Nothing was changed. Return to it, or remove it. Then restore again.",
      `    ${undoRestoreCommand(stack)}`,
      `    ${finishRestoreCommand(stack)}`,
    ].join("\n"),
    exitCode: exitCode.notAllowed,
  });
}

/**
 * Refuses an undo or a finish if there is nothing to return to or to remove.
 *
 * @param completed what a killed command had left was completed or reverted just now
 */
export function noneKept(completed = false): OperationError {
  return new OperationError("No cluster from before an in-place restore is kept.", {
    hint: completed
      ? "What a killed command had left was completed or reverted just now, as said above. Nothing else was changed."
      : "Nothing was changed.",
    exitCode: exitCode.usage,
  });
}
