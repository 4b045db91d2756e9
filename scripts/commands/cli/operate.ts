import type { OperationKind, OperationResult } from "../../stack/operation.ts";
import { readyEngine } from "./engine.ts";
import { OperationDisplay } from "./operation-display.ts";
import type { Run } from "./run.ts";

/** Runs an operation of the engine on a stack, shown while it runs. */
export async function operate(run: Run, kind: OperationKind, stack: string): Promise<OperationResult> {
  const engine = await readyEngine(run);
  const { runStackOperation } = await import("../../stack/run-stack-operation.ts");
  const display = new OperationDisplay(run, kind, stack);
  try {
    const { root, signal, runId } = run;
    return await runStackOperation(kind, { engine, root, stack, signal, runId, onEvent: display.onEvent });
  } finally {
    display.close();
  }
}
