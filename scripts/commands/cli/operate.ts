import type { OperationKind, OperationResult } from "../../stack/operation.ts";
import { readyEngine } from "./engine.ts";
import { Interrupted, interruptionOf } from "./interruption.ts";
import { OperationDisplay } from "./operation-display.ts";
import type { Run } from "./run.ts";

/**
 * Runs an operation of the engine on a stack, shown while it runs.
 *
 * @throws Interrupted where it was asked to end before it had finished
 */
export async function operate(run: Run, kind: OperationKind, stack: string): Promise<OperationResult> {
  const engine = await readyEngine(run);
  const { runStackOperation } = await import("../../stack/run-stack-operation.ts");
  const display = new OperationDisplay(run, kind, stack);
  try {
    const { root, engineSignal: signal, runId } = run;
    return await runStackOperation(kind, { engine, root, stack, signal, runId, onEvent: display.onEvent });
  } catch (error) {
    const interruption = interruptionOf(run.signal);
    if (interruption === undefined) throw error;
    throw new Interrupted(interruptedText(kind, stack), interruption.exitCode);
  } finally {
    display.close();
  }
}

function interruptedText(kind: OperationKind, stack: string): string {
  if (kind === "preview") return "Interrupted.";
  return `Interrupted: stack "${stack}" stays as far as it got; \`up\` goes on from there.`;
}
