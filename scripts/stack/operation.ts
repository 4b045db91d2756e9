import type { EngineInstallation } from "../engine/ensure-engine.ts";
import type { OperationError } from "../errors/operation-error.ts";
import { EngineFailure, engineRemedy } from "./engine-failure.ts";
import { runEngine } from "./engine-process.ts";
import { EventStream, type OperationEvent, type ResourceChange, saysOnlyFailed } from "./event-stream.ts";
import { lockedError } from "./stack-lock.ts";

export type OperationKind = "up" | "preview" | "refresh" | "destroy";

export interface OperationResult {
  changes: ResourceChange[];
  unchanged: number;
  /** The stack's outputs, secrets as `[secret]`; empty in previews of what is not there yet. */
  outputs: Record<string, unknown>;
  /** Resources at which an earlier run was interrupted; they stay in the state as such until they are cleared. */
  interrupted: string[];
}

export interface OperationOptions {
  engine: EngineInstallation;
  root: string;
  stack: string;
  onEvent?: (event: OperationEvent) => void;
  signal?: AbortSignal | undefined;
  runId: string;
  /** URNs to confine it to, `*` and `**` as the engine reads them; all where absent. */
  targets?: readonly string[];
}

/**
 * Runs an operation of the engine on a stack.
 *
 * @throws OperationError when it fails; its messages were passed to `onEvent` and are in the error, too
 */
export async function runOperation(kind: OperationKind, options: OperationOptions): Promise<OperationResult> {
  const stream = new EventStream(options.onEvent ?? (() => undefined), kind === "refresh");
  const flags = kind === "preview" ? [] : ["--yes", "--skip-preview"];
  const exit = await runEngine(options.engine, {
    root: options.root,
    args: [
      kind,
      "--stack",
      options.stack,
      "--json",
      ...flags,
      ...(options.targets ?? []).flatMap((urn) => ["--target", urn]),
    ],
    onLine: (line) => stream.line(line),
    signal: options.signal,
    // A preview streams its events like every other operation only when asked to.
    variables: { PULUMI_ENABLE_STREAMING_JSON_PREVIEW: "true", PGW_RUN_ID: options.runId },
  });
  if (exit.code !== 0) throw operationFailed(kind, options, stream, exit.stderr);
  return {
    changes: stream.changes,
    unchanged: stream.unchanged,
    outputs: stream.outputs,
    interrupted: stream.interrupted,
  };
}

function operationFailed(
  kind: OperationKind,
  { root, stack, onEvent }: OperationOptions,
  stream: EventStream,
  stderr: string,
): OperationError {
  const said = stderr.split("\n").filter((line) => line.trim() !== "" && !saysOnlyFailed(line));
  const locked = lockedError(stack, said);
  if (locked !== undefined) return locked;
  const messages = stream.errors.length > 0 ? stream.errors : said;
  const shown = stream.errors.length > 0 && onEvent !== undefined;
  return new EngineFailure(`${kind} of stack "${stack}" failed.`, messages, shown, engineRemedy(messages, root, stack));
}
