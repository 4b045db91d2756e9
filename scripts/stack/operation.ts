import type { OperationError } from "../core/operation-error.ts";
import type { EngineInstallation } from "../pulumi/ensure-engine.ts";
import { EngineFailure, engineHint } from "./engine-failure.ts";
import { runEngine } from "./engine-process.ts";
import {
  EventStream,
  type OperationEvent,
  type ProgressEvent,
  type ResourceChange,
  saysOnlyFailed,
} from "./event-stream.ts";
import { providerSessions } from "./provider-sessions.ts";
import { lockedError } from "./stack-lock.ts";

/** Operations of the engine on a stack. */
export type OperationKind = "up" | "preview" | "refresh" | "destroy";

/** Result of an operation that succeeded. */
export interface OperationResult {
  changes: ResourceChange[];
  unchanged: number;
  /** Outputs of the stack, with secrets as `[secret]`. Empty in previews of a stack that does not exist yet. */
  outputs: Record<string, unknown>;
  /** Resources at which an earlier run was interrupted. They stay in the state until they are cleared. */
  interrupted: string[];
}

/** Arguments of an operation. */
export interface OperationOptions {
  engine: EngineInstallation;
  root: string;
  stack: string;
  onEvent?: (event: OperationEvent) => void;
  onProgress?: (event: ProgressEvent) => void;
  signal?: AbortSignal | undefined;
  runId: string;
  /** URNs to limit the operation to; the engine expands `*` and `**`. Omit for all. */
  targets?: readonly string[];
  /**
   * Only for `destroy`: runs under the stack's lock. If it throws, nothing is changed, and the operation fails with its
   * error.
   */
  check?: (() => Promise<void>) | undefined;
}

/**
 * Runs an operation of the engine on a stack.
 *
 * @throws OperationError if it fails; its messages were passed to `onEvent`, or are in the error's text
 */
export async function runOperation(kind: OperationKind, options: OperationOptions): Promise<OperationResult> {
  if (options.check === undefined) return runOnEngine(kind, options, []);
  const { withCheckUnderLock } = await import("./check-under-lock.ts");
  return withCheckUnderLock(options.check, (args) => runOnEngine(kind, options, args));
}

async function runOnEngine(
  kind: OperationKind,
  options: OperationOptions,
  args: readonly string[],
): Promise<OperationResult> {
  const stream = new EventStream(options.onEvent ?? (() => undefined), kind === "refresh", options.onProgress);
  const flags = kind === "preview" ? [] : ["--yes", "--skip-preview"];
  const sessions = await providerSessions(options);
  const exit = await runEngine(options.engine, {
    root: options.root,
    stack: options.stack,
    args: [
      kind,
      "--stack",
      options.stack,
      "--json",
      ...flags,
      ...(options.targets ?? []).flatMap((urn) => ["--target", urn]),
      ...args,
    ],
    onLine: (line) => stream.line(line),
    signal: options.signal,
    // Without this variable, a preview does not stream its events.
    variables: { PULUMI_ENABLE_STREAMING_JSON_PREVIEW: "true", PGW_RUN_ID: options.runId, ...sessions },
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
  return new EngineFailure(`${kind} of stack "${stack}" failed.`, messages, shown, engineHint(messages, root, stack));
}
