import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { OperationError } from "../core/operation-error.ts";
import { recoverCommand } from "../model/command-lines.ts";
import { backendNote } from "./backend.ts";
import { EngineFailure } from "./engine-failure.ts";
import { EngineKilled, runEngine } from "./engine-process.ts";
import { type OperationKind, type OperationOptions, type OperationResult, runOperation } from "./operation.ts";
import { StackLocked } from "./stack-lock.ts";
import { requireStackSecrets } from "./stack-secrets.ts";
import { initialiseStack, requireDeclared, saysNoSuchStack } from "./stacks.ts";
import { stateFile } from "./state-file.ts";
import { declaredStateFolder } from "./state-folder.ts";

/**
 * Runs an operation on a stack, including its first one. The state is created first if it would be a local file that
 * does not exist. A state that is kept elsewhere is created if the engine reports that there is none: a check in
 * advance would cost every other run a call of the engine.
 *
 * @throws OperationError if the stack is unknown (wrong usage), or if the engine failed
 */
export async function runStackOperation(kind: OperationKind, options: OperationOptions): Promise<OperationResult> {
  requireStackSecrets(options.engine, options.root, options.stack);
  const result = await runOrInitialise(kind, options);
  if (kind === "up" && result.interrupted.length > 0) await forgetInterruption(options);
  return result;
}

async function runOrInitialise(kind: OperationKind, options: OperationOptions): Promise<OperationResult> {
  const run = () => whenUnlocked(() => orTidy(options, () => runOperation(kind, options)));
  if (!isMissingFile(options)) {
    try {
      return await run();
    } catch (error) {
      if (!(error instanceof EngineFailure && error.messages.some(saysNoSuchStack))) throw error;
    }
  }
  await requireDeclared(options.root, options.stack);
  await whenUnlocked(() => initialiseStack(options.engine, options.root, options.stack));
  sayWhere(options);
  return run();
}

/**
 * Returns true if the state would be a local file that does not exist. Returns false if that is not known, or if there
 * is no folder for it, which the engine reports.
 */
function isMissingFile({ root, stack }: OperationOptions): boolean {
  const folder = declaredStateFolder(root, stack, process.env);
  return folder !== undefined && existsSync(dirname(folder)) && stateFile(root, stack, process.env) === undefined;
}

/**
 * Says where the state of a new stack is kept. A missing or leftover variable would create a second state elsewhere.
 */
function sayWhere({ root, stack, onEvent }: OperationOptions): void {
  const where = backendNote(root, stack, process.env);
  if (where === undefined) return;
  const text = `Stack "${stack}" has no state yet. ${where}`;
  onEvent?.({ kind: "message", severity: "info", resource: undefined, text });
}

/**
 * Ends the language host that a failed or killed engine may leave behind. If the engine was killed, the error names the
 * command that cleans up.
 */
async function orTidy<T>({ root, stack, runId }: OperationOptions, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { endLanguageHost } = await import("./recover/left-processes.ts");
    await endLanguageHost(root, runId);
    if (!(error instanceof EngineKilled)) throw error;
    throw new OperationError(`The engine was killed by ${error.signal} while it worked on stack "${stack}".`, {
      hint: `Clean up what it left, then try again: \`${recoverCommand(stack)}\``,
      cause: error,
    });
  }
}

/** Wait in ms before a lock whose holder has ended counts as left behind. */
const lockReleaseMs = 1_000;

/**
 * Retries if the lock's holder has just ended cleanly, because its lock is removed with it. Only a killed run leaves a
 * lock that stays.
 */
async function whenUnlocked<T>(work: () => Promise<T>): Promise<T> {
  let seen: string | undefined;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof StackLocked && error.holderIsGone) || error.message === seen) throw error;
      seen = error.message;
      await sleep(lockReleaseMs);
    }
  }
}

/**
 * Clears resources that an interrupted run left in the state as "being created". Every resource of the kit adopts
 * existing objects, so nothing is unknown after a successful `up`. Otherwise the engine would repeat its warning
 * forever.
 */
async function forgetInterruption({ engine, root, stack }: OperationOptions): Promise<void> {
  const args = ["refresh", "--clear-pending-creates", "--yes", "--skip-preview", "--stack", stack];
  // If this fails, the next run warns again and retries.
  await runEngine(engine, { root, stack, args });
}
