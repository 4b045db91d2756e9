import { exitCode, OperationError } from "../../errors/operation-error.ts";
import { ask, canAsk } from "./confirm.ts";
import type { Run } from "./run.ts";

/**
 * Asks on a terminal for names to be typed; elsewhere there is nobody to ask.
 *
 * @param names each is asked for
 * @param refused what is not done without them: "Taking down stack x"
 * @throws OperationError (not allowed) where they were not typed
 */
export async function requireTyped(run: Run, names: readonly string[], refused: string): Promise<void> {
  if (!canAsk()) {
    throw new OperationError(`${refused} needs a confirmation: nothing was changed.`, {
      remedy: "Add --yes.",
      exitCode: exitCode.notAllowed,
    });
  }
  for (const name of names) {
    const typed = (await ask(`Type ${name} to go on: `, run.signal)) ?? "";
    if (typed === name) continue;
    throw new OperationError(`"${typed}" is not "${name}": nothing was changed.`, { exitCode: exitCode.notAllowed });
  }
}
