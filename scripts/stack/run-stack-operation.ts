import { setTimeout as sleep } from "node:timers/promises";
import { OperationError } from "../errors/operation-error.ts";
import { EngineFailure } from "./engine-failure.ts";
import { EngineKilled, runEngine } from "./engine-process.ts";
import { type OperationKind, type OperationOptions, type OperationResult, runOperation } from "./operation.ts";
import { recoverCommand } from "./recover-command.ts";
import { StackLocked } from "./stack-lock.ts";
import { requireStackSecrets } from "./stack-secrets.ts";
import { initialiseStack, requireDeclared, saysNoSuchStack } from "./stacks.ts";

/**
 * Runs an operation on a stack, its first one included. The stack's state is made when the engine says that there is none, and not looked for
 * before: that would cost every other run a call of the engine.
 *
 * @throws OperationError: an unknown stack (wrong usage), or what the engine failed on
 */
export async function runStackOperation(kind: OperationKind, options: OperationOptions): Promise<OperationResult> {
  requireStackSecrets(options.engine, options.root, options.stack);
  const result = await runOrInitialise(kind, options);
  if (kind === "up" && result.interrupted.length > 0) await forgetInterruption(options);
  return result;
}

async function runOrInitialise(kind: OperationKind, options: OperationOptions): Promise<OperationResult> {
  const run = () => whenUnlocked(() => orTidy(options, () => runOperation(kind, options)));
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof EngineFailure && error.messages.some(saysNoSuchStack))) throw error;
    await requireDeclared(options.root, options.stack);
    await whenUnlocked(() => initialiseStack(options.engine, options.root, options.stack));
    return run();
  }
}

/** An engine that failed or was killed may leave a process, and where it was killed more than that. */
async function orTidy<T>({ root, stack, runId }: OperationOptions, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { endLanguageHost } = await import("../recover/left-processes.ts");
    await endLanguageHost(root, runId);
    if (!(error instanceof EngineKilled)) throw error;
    throw new OperationError(`The engine was ended by ${error.signal} while it worked on stack "${stack}".`, {
      remedy: `Take back what it left, then try again: \`${recoverCommand(stack)}\``,
      cause: error,
    });
  }
}

/** After this time, in ms, a lock whose holder has ended is one that was left. */
const lockGrace = 1_000;

/** Tries again where the lock's holder has just ended, in order: such a lock goes by itself. Only one that stays was left by a killed run. */
async function whenUnlocked<T>(work: () => Promise<T>): Promise<T> {
  let seen: string | undefined;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof StackLocked && error.holderIsGone) || error.message === seen) throw error;
      seen = error.message;
      await sleep(lockGrace);
    }
  }
}

/**
 * Clears what an interrupted run left in the state as "being created". Every resource of the kit takes over what is there already, so once an `up` has
 * succeeded there is nothing to find out any more; the engine would warn of it for ever.
 */
async function forgetInterruption({ engine, root, stack }: OperationOptions): Promise<void> {
  const args = ["refresh", "--clear-pending-creates", "--yes", "--skip-preview", "--stack", stack];
  // Where it fails, the next run warns once more and tries again.
  await runEngine(engine, { root, args });
}
