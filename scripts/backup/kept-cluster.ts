import { exitCode, OperationError } from "../core/operation-error.ts";

/**
 * Refuses another restore in place while the cluster from before the last one is kept.
 *
 * @param time in the name of its folder
 */
export function stillKept(time: string, folder: string): OperationError {
  return new OperationError(`The cluster from before the restore of ${time} is still kept in ${folder}.`, {
    hint: "Remove it with `npm run pgw -- backup restore --finish`, or return to it with --undo. Then restore again. Nothing was changed.",
    exitCode: exitCode.notAllowed,
  });
}

/** Refuses an undo or a finish if there is nothing to return to or to remove. */
export function noneKept(): OperationError {
  return new OperationError("No cluster from before an in-place restore is kept.", {
    hint: "Nothing was changed.",
    exitCode: exitCode.usage,
  });
}
