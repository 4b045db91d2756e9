import {
  EngineFailure,
  type OperationKind,
  type OperationOptions,
  type OperationResult,
  runOperation,
} from "./operation.ts";
import { initialiseStack, requireDeclared, saysNoSuchStack } from "./stacks.ts";

/**
 * Runs an operation on a stack, its first one included. The stack's state is made when the engine says that there is none, and not looked for
 * before: that would cost every other run a call of the engine.
 *
 * @throws OperationError: an unknown stack (wrong usage), or what the engine failed on
 */
export async function runStackOperation(kind: OperationKind, options: OperationOptions): Promise<OperationResult> {
  try {
    return await runOperation(kind, options);
  } catch (error) {
    if (!(error instanceof EngineFailure && error.messages.some(saysNoSuchStack))) throw error;
    await requireDeclared(options.root, options.stack);
    await initialiseStack(options.engine, options.root, options.stack);
    return runOperation(kind, options);
  }
}
