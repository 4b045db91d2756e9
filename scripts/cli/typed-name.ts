import { exitCode, OperationError } from "../core/operation-error.ts";
import { ask, canAsk } from "./confirm.ts";
import type { CommandContext } from "./context.ts";

/**
 * Asks on a terminal to type names as a confirmation. Fails if there is no terminal.
 *
 * @param names each of them must be typed
 * @param refused the work that needs the confirmation: "Taking down stack x"
 * @param unchanged what was changed before, if anything was
 * @throws OperationError (not allowed) if they were not typed
 */
export async function requireTyped(
  context: CommandContext,
  names: readonly string[],
  refused: string,
  unchanged = "Nothing was changed.",
): Promise<void> {
  if (!canAsk()) {
    throw new OperationError(`${refused} needs a confirmation. ${unchanged}`, {
      hint: "Add --yes.",
      exitCode: exitCode.notAllowed,
    });
  }
  context.out.endStep();
  for (const name of names) {
    const typed = (await ask(`Type ${name} to continue: `, context.signal)) ?? "";
    if (typed === name) continue;
    throw new OperationError(`You typed "${typed}", not "${name}". ${unchanged}`, {
      exitCode: exitCode.notAllowed,
    });
  }
}
