import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { OperationError } from "../core/operation-error.ts";
import { recoverCommand } from "../model/command-lines.ts";
import { backendNote } from "./backend.ts";
import { EngineFailure } from "./engine-failure.ts";
import {
  type OperationKind,
  type OperationOptions,
  type OperationResult,
  runEngineOperation,
} from "./engine-operation.ts";
import { EngineKilled, runOnStack } from "./engine-process.ts";
import type { Stack } from "./stack.ts";
import { StackLocked } from "./stack-locked.ts";
import { requireStackSecrets } from "./stack-secrets.ts";
import { initialiseStack, requireDeclared, saysNoSuchStack } from "./stacks.ts";
import { stateFile } from "./state-file.ts";
import { declaredStateFolder } from "./state-folder.ts";
import { requireKeptSettings } from "./top-level-keys.ts";

/**
 * Runs an operation on a stack, including its first one. The state is created first if it would be a local file that
 * does not exist. A state that is kept elsewhere is created if the engine reports that there is none: a check in
 * advance would cost every other run a call of the engine.
 *
 * @throws OperationError if the stack is unknown (wrong usage), or if the engine failed
 */
export async function runOperation(
  stack: Stack,
  kind: OperationKind,
  options: OperationOptions,
): Promise<OperationResult> {
  requireStackSecrets(stack);
  if (kind === "up" || kind === "preview") requireKeptSettings(stack.root, stack.name);
  const result = await runOrInitialise(stack, kind, options);
  if (kind === "up" && result.interrupted.length > 0) await forgetInterruption(stack);
  return result;
}

async function runOrInitialise(stack: Stack, kind: OperationKind, options: OperationOptions): Promise<OperationResult> {
  const run = () => whenUnlocked(() => orTidy(stack, options.runId, () => runEngineOperation(stack, kind, options)));
  if (!isMissingFile(stack)) {
    try {
      return await run();
    } catch (error) {
      if (!(error instanceof EngineFailure && error.messages.some(saysNoSuchStack))) throw error;
    }
  }
  await requireDeclared(stack.root, stack.name);
  await whenUnlocked(() => initialiseStack(stack));
  sayWhere(stack, options);
  return run();
}

/**
 * Returns true if the state would be a local file that does not exist. Returns false if that is not known, or if there
 * is no folder for it, which the engine reports.
 */
function isMissingFile({ root, name }: Stack): boolean {
  const folder = declaredStateFolder(root, name, process.env);
  return folder !== undefined && existsSync(dirname(folder)) && stateFile(root, name, process.env) === undefined;
}

/**
 * Says where the state of a new stack is kept. A missing or leftover variable would create a second state elsewhere.
 */
function sayWhere({ root, name }: Stack, { onEvent }: OperationOptions): void {
  const where = backendNote(root, name, process.env);
  if (where === undefined) return;
  const text = `Stack "${name}" has no state yet. ${where}`;
  onEvent?.({ kind: "message", severity: "info", resource: undefined, text });
}

/**
 * Ends the language host that a failed or killed engine may leave behind. If the engine was killed, the error names the
 * command that cleans up.
 */
async function orTidy<T>({ root, name }: Stack, runId: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { endLanguageHost } = await import("./recover/left-processes.ts");
    await endLanguageHost(root, runId);
    if (!(error instanceof EngineKilled)) throw error;
    throw new OperationError(`The engine was killed by ${error.signal} while it worked on stack "${name}".`, {
      hint: `Clean up what it left, then try again: \`${recoverCommand(name)}\``,
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
async function forgetInterruption(stack: Stack): Promise<void> {
  const args = ["refresh", "--clear-pending-creates", "--yes", "--skip-preview", "--stack", stack.name];
  // If this fails, the next run warns again and retries.
  await runOnStack(stack, { args });
}
