import type { CommandContext } from "../../context.ts";
import { operateStack } from "../../operation.ts";
import { Output } from "../../output.ts";

/** Output that prints only warnings, errors and the answer. */
class QuietOutput extends Output {
  override note(): void {}
}

/**
 * Takes a stack down by the engine. Suppresses the notes of the server's resource: the command's answer says where the
 * data is kept, or the data is about to be erased.
 *
 * @param check runs under the stack's lock, before anything is changed
 * @throws the error of the check, with nothing changed
 */
export async function destroyByEngine(
  context: CommandContext,
  stack: string,
  check: () => Promise<void>,
): Promise<void> {
  await operateStack({ ...context, out: new QuietOutput(context.out.json) }, "destroy", stack, { check });
}

/**
 * Runs our own work while the engine holds a stack's lock. The engine itself changes nothing.
 *
 * @throws the error of the work
 */
export async function underLock<T>(context: CommandContext, stack: string, work: () => Promise<T>): Promise<T> {
  const { workUnderLock } = await import("../../../stack/check-under-lock.ts");
  return workUnderLock(work, (check) => destroyByEngine(context, stack, check));
}
