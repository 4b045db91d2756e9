import type { OperationError } from "../core/operation-error.ts";
import { EngineFailure, engineHint } from "./engine-failure.ts";
import { runOnStack } from "./engine-process.ts";
import {
  EventStream,
  type OperationEvent,
  type ProgressEvent,
  type ResourceChange,
  saysOnlyFailed,
} from "./event-stream.ts";
import { providerSessions } from "./provider-sessions.ts";
import type { Stack } from "./stack.ts";
import { lockedError } from "./stack-locked.ts";

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

/** Options of an operation. */
export interface OperationOptions {
  onEvent?: (event: OperationEvent) => void;
  onProgress?: (event: ProgressEvent) => void;
  signal?: AbortSignal | undefined;
  runId: string;
  /** URNs to limit the operation to; the engine expands `*` and `**`. Omit for all. */
  targets?: readonly string[];
  /** Variables for the program, in addition to the process's own. */
  variables?: Readonly<Record<string, string>>;
  /**
   * Only for `destroy`: runs under the stack's lock. If it throws, nothing is changed, and the operation fails with its
   * error.
   */
  check?: (() => Promise<void>) | undefined;
}

/**
 * Runs an operation of the engine once on a stack that has a state.
 *
 * @throws OperationError if it fails; its messages were passed to `onEvent`, or are in the error's text
 */
export async function runEngineOperation(
  stack: Stack,
  kind: OperationKind,
  options: OperationOptions,
): Promise<OperationResult> {
  if (options.check === undefined) return runOnce(stack, kind, options, []);
  const { withCheckUnderLock } = await import("./check-under-lock.ts");
  return withCheckUnderLock(options.check, (args) => runOnce(stack, kind, options, args));
}

async function runOnce(
  stack: Stack,
  kind: OperationKind,
  options: OperationOptions,
  args: readonly string[],
): Promise<OperationResult> {
  const stream = new EventStream(options.onEvent ?? (() => undefined), kind === "refresh", options.onProgress);
  const flags = kind === "preview" ? [] : ["--yes", "--skip-preview"];
  const sessions = await providerSessions(stack);
  const exit = await runOnStack(stack, {
    args: [
      kind,
      "--stack",
      stack.name,
      "--json",
      ...flags,
      ...(options.targets ?? []).flatMap((urn) => ["--target", urn]),
      ...args,
    ],
    onLine: (line) => stream.line(line),
    signal: options.signal,
    // Without this variable, a preview does not stream its events.
    variables: {
      PULUMI_ENABLE_STREAMING_JSON_PREVIEW: "true",
      PGW_RUN_ID: options.runId,
      ...sessions,
      ...options.variables,
    },
  });
  if (exit.code !== 0) throw operationFailed(stack, kind, options, stream, exit.stderr);
  return {
    changes: stream.changes,
    unchanged: stream.unchanged,
    outputs: stream.outputs,
    interrupted: stream.interrupted,
  };
}

function operationFailed(
  { root, name }: Stack,
  kind: OperationKind,
  { onEvent }: OperationOptions,
  stream: EventStream,
  stderr: string,
): OperationError {
  const said = stderr.split("\n").filter((line) => line.trim() !== "" && !saysOnlyFailed(line));
  const locked = lockedError(name, said);
  if (locked !== undefined) return locked;
  const messages = stream.errors.length > 0 ? stream.errors : said;
  const shown = stream.errors.length > 0 && onEvent !== undefined;
  return new EngineFailure(`${kind} of stack "${name}" failed.`, messages, shown, engineHint(messages, root, name));
}
