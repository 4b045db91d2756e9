import type { StackOutputs } from "../model/stack-outputs.ts";
import type { Stack } from "../stack/stack.ts";
import type { CommandContext } from "./context.ts";
import { readyEngine, requireProject } from "./engine.ts";

/** Reads the outputs of one stack, with their passwords. */
export type ReadOutputs = () => Promise<StackOutputs>;

/**
 * Returns a stack of the project with its engine, which is installed if necessary. Prints the fallback providers that
 * the stack uses.
 */
export async function stackWithEngine(context: CommandContext, name: string): Promise<Stack> {
  return { engine: await readyEngine(context, { stack: name }), root: context.root, name };
}

/** Returns the same without printing anything, for commands that change nothing through providers. */
export async function stackForReading(context: CommandContext, name: string): Promise<Stack> {
  return { engine: await readyEngine(context, { quiet: true }), root: context.root, name };
}

/**
 * Reads a stack's outputs.
 *
 * @param secrets true to include passwords; false for `[secret]` in their place
 * @throws OperationError (wrong usage) if the stack is unknown, or was not brought up
 */
export async function outputsOf(context: CommandContext, name: string, secrets: boolean): Promise<StackOutputs> {
  const { readOutputs, requireState } = await import("../stack/outputs.ts");
  requireProject(context.root);
  await requireState(context.root, name);
  return readOutputs(await stackForReading(context, name), secrets);
}
