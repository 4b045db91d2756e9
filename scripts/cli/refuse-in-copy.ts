import type { CommandContext } from "./context.ts";

/**
 * Refuses to change a stack's server in a copy of its project directory.
 *
 * @throws OperationError (not allowed) that names the original and both ways out
 */
export async function refuseInCopy({ root, env }: CommandContext, stack: string): Promise<void> {
  const { copyError, findOriginal } = await import("../stack/original.ts");
  const original = await findOriginal(root, stack, env);
  if (original !== undefined) throw copyError(stack, root, original);
}
