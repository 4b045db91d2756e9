import { setTimeout as sleep } from "node:timers/promises";
import type { OperationKind, OperationResult } from "../stack/engine-operation.ts";
import type { Stack } from "../stack/stack.ts";
import { StackLocked } from "../stack/stack-locked.ts";
import { canAsk, confirm } from "./confirm.ts";
import type { CommandContext } from "./context.ts";
import { Interrupted, interruptionOf } from "./interruption.ts";
import { OperationDisplay } from "./operation-display.ts";
import { recoverStack } from "./recover-stack.ts";
import { refuseInCopy } from "./refuse-in-copy.ts";
import { stackWithEngine } from "./stack.ts";

/** Options of an operation that a command runs. */
export interface CommandOperationOptions {
  /** Recovers what a killed command left, before the work and at a recoverable lock. Default: asks on a terminal. */
  recover?: boolean;
  /** Time in ms to wait for another process that works on the stack. */
  waitMs?: number;
  /** Runs before each attempt of the operation. */
  before?: (stack: Stack) => Promise<void>;
  /** Only for `destroy`: see `OperationOptions`. */
  check?: () => Promise<void>;
  /** URNs to limit the operation to, with the engine's `*` and `**`. Default: all resources. */
  targets?: readonly string[];
  /** Variables for the program, in addition to the process's own. */
  variables?: Readonly<Record<string, string>>;
}

/**
 * Runs an operation of the engine on a stack and shows its progress.
 *
 * @throws Interrupted if it was asked to end before it had finished
 */
export async function operateStack(
  context: CommandContext,
  kind: OperationKind,
  name: string,
  { recover = false, waitMs = 0, before, check, targets = [], variables = {} }: CommandOperationOptions = {},
): Promise<OperationResult> {
  // A refresh changes only the state in this directory.
  if (kind !== "refresh") await refuseInCopy(context, name);
  const stack = await stackWithEngine(context, name);
  const { runOperation } = await import("../stack/operation.ts");
  const display = new OperationDisplay(context, kind, name);
  const { engineSignal: signal, runId } = context;
  try {
    if (recover) await recoverStack(context, stack);
    if (kind === "up") await removeLeftFiles(context, name);
    const { onEvent, onProgress } = display;
    const options = { signal, runId, check, onProgress };
    return await pastLocks(context, stack, { recover, waitMs }, async () => {
      // Only while the engine works: in between, the user may be asked.
      display.open();
      try {
        if ((kind === "up" || kind === "preview") && (await hasDrifted(stack)))
          await runOperation(stack, "refresh", { ...options, targets: inDockerEngine });
        await before?.(stack);
        return await runOperation(stack, kind, { ...options, onEvent, targets, variables });
      } finally {
        display.close();
      }
    });
  } catch (error) {
    const interruption = interruptionOf(context.signal);
    if (interruption === undefined) throw error;
    throw new Interrupted(interruptedText(kind, name), interruption.exitCode);
  }
}

/**
 * Removes unfinished files of killed commands. Needs no confirmation, because the processes that wrote them are gone.
 */
async function removeLeftFiles({ env, root }: CommandContext, name: string): Promise<void> {
  const { removeTemporaries } = await import("../stack/recover/temporaries.ts");
  const { dataHome } = await import("../server/locations.ts");
  await removeTemporaries({ env, stack: { root, name }, home: dataHome(env, process.getuid?.()) });
}

/** URN patterns of the resources in a Docker engine. Files are gone with their volume. */
export const inDockerEngine: readonly string[] = ["urn:pulumi:**docker:index/**", "urn:pulumi:**index:VolumeFiles::**"];

/**
 * Returns true if containers differ from the stack's state, so that it must be refreshed before anything is compared
 * with it.
 */
async function hasDrifted(stack: Stack): Promise<boolean> {
  const { declaredSettings } = await import("../stack/declared-settings.ts");
  const { docker } = await declaredSettings(stack.root, stack.name);
  if (docker === undefined) return false;
  const { hasDriftedInDocker } = await import("../stack/docker-drift.ts");
  return hasDriftedInDocker(stack, docker.host);
}

/** Interval in ms at which a locked stack is tried again. */
const lookEvery = 1_000;

/**
 * Runs the work past locks of the stack, as far as the options or the user allow. Waits for locks that are held, and
 * recovers locks that were left behind.
 */
async function pastLocks<T>(
  context: CommandContext,
  stack: Stack,
  { recover, waitMs }: Required<Pick<CommandOperationOptions, "recover" | "waitMs">>,
  work: () => Promise<T>,
): Promise<T> {
  const deadline = performance.now() + waitMs;
  let said: string | undefined;
  let recovered = false;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof StackLocked)) throw error;
      if (error.recoverable && !recovered && (recover || (await wantsRecovery(context, error)))) {
        recovered = true;
        await recoverStack(context, stack);
      } else if (!error.holderIsGone && performance.now() < deadline) {
        if (error.message !== said) context.out.note(`${error.message} Waiting for it to end.`);
        said = error.message;
        await sleep(lookEvery, undefined, { signal: context.signal });
      } else throw error;
    }
  }
}

async function wantsRecovery(context: CommandContext, lock: StackLocked): Promise<boolean> {
  if (!canAsk()) return false;
  context.out.note(lock.message);
  return confirm("Recover and continue?", context.signal);
}

function interruptedText(kind: OperationKind, stack: string): string {
  if (kind === "preview") return "Interrupted.";
  return `Interrupted: stack "${stack}" is partly changed; \`up\` continues from there.`;
}
