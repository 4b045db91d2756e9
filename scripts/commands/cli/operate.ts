import { setTimeout as sleep } from "node:timers/promises";
import type { EngineInstallation } from "../../engine/ensure-engine.ts";
import type { OperationKind, OperationResult } from "../../stack/operation.ts";
import { StackLocked } from "../../stack/stack-lock.ts";
import { canAsk, confirm } from "./confirm.ts";
import { readyEngine } from "./engine.ts";
import { Interrupted, interruptionOf } from "./interruption.ts";
import { OperationDisplay } from "./operation-display.ts";
import { recoverStack } from "./recover-stack.ts";
import type { Run } from "./run.ts";

export interface OperateOptions {
  /** Take back what a killed run left, first and where one is met; otherwise a terminal is asked. */
  recover?: boolean;
  /** How long somebody else who works on the stack is waited for, in ms. */
  waitMs?: number;
}

/**
 * Runs an operation of the engine on a stack, shown while it runs.
 *
 * @throws Interrupted where it was asked to end before it had finished
 */
export async function operate(
  run: Run,
  kind: OperationKind,
  stack: string,
  { recover = false, waitMs = 0 }: OperateOptions = {},
): Promise<OperationResult> {
  const engine = await readyEngine(run, { stack });
  const { runStackOperation } = await import("../../stack/run-stack-operation.ts");
  const display = new OperationDisplay(run, kind, stack);
  const { root, engineSignal: signal, runId } = run;
  try {
    if (recover) await recoverStack(run, engine, stack);
    const operation = { engine, root, stack, signal, runId };
    return await pastLocks(run, engine, stack, { recover, waitMs }, async () => {
      if ((kind === "up" || kind === "preview") && (await hasDriftedInDocker(run, stack)))
        await runStackOperation("refresh", { ...operation, targets: [inDocker] });
      return runStackOperation(kind, { ...operation, onEvent: display.onEvent });
    });
  } catch (error) {
    const interruption = interruptionOf(run.signal);
    if (interruption === undefined) throw error;
    throw new Interrupted(interruptedText(kind, stack), interruption.exitCode);
  } finally {
    display.close();
  }
}

/** What stands in a Docker engine. */
const inDocker = "urn:pulumi:**docker:index/**";

/** Whether containers are not as the stack's state has them, so that it has to be read anew before anything is compared with it. */
async function hasDriftedInDocker({ root }: Run, stack: string): Promise<boolean> {
  const { declaredSettings } = await import("../../stack/declared-settings.ts");
  const { docker } = await declaredSettings(root, stack);
  if (docker === undefined) return false;
  const { withDocker } = await import("../../docker/client.ts");
  const { hasDrifted } = await import("../../docker/drift.ts");
  const { projectName } = await import("../../stack/project.ts");
  const project = await projectName(root);
  return withDocker(docker.host, (client) => hasDrifted(client, { project, stack }));
}

/** How often it is looked whether a stack is free again, in ms. */
const lookEvery = 1_000;

/** Does the work, after locks in its way are waited for or, where they were left behind, taken away: as far as either was asked for. */
async function pastLocks<T>(
  run: Run,
  engine: EngineInstallation,
  stack: string,
  { recover, waitMs }: Required<OperateOptions>,
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
      if (error.recoverable && !recovered && (recover || (await wantsRecovery(run, error)))) {
        recovered = true;
        await recoverStack(run, engine, stack);
      } else if (!error.holderIsGone && performance.now() < deadline) {
        if (error.message !== said) run.out.note(`${error.message} Waiting for it to end.`);
        said = error.message;
        await sleep(lookEvery, undefined, { signal: run.signal });
      } else throw error;
    }
  }
}

async function wantsRecovery(run: Run, lock: StackLocked): Promise<boolean> {
  if (!canAsk()) return false;
  run.out.note(lock.message);
  return confirm("Recover and go on?", run.signal);
}

function interruptedText(kind: OperationKind, stack: string): string {
  if (kind === "preview") return "Interrupted.";
  return `Interrupted: stack "${stack}" stays as far as it got; \`up\` goes on from there.`;
}
