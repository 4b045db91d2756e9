import type { EngineEvent, StepEventMetadata } from "@pulumi/pulumi/automation/events.js";
import type { EngineInstallation } from "../engine/ensure-engine.ts";
import { OperationError } from "../errors/operation-error.ts";
import { runEngine } from "./engine-process.ts";
import { lockedError } from "./stack-lock.ts";

export type OperationKind = "up" | "preview" | "refresh" | "destroy";

/** One thing that an operation did to a resource, or in a preview would do. */
export interface ResourceChange {
  /** `create`, `update`, `delete`, `replace`, … */
  action: string;
  /** Type token: `postgresql:index/role:Role`. */
  type: string;
  name: string;
  /** Properties that differ, for updates. */
  properties: string[];
  /** Names of migrations, seeds or partitions that run, or why they are not known. */
  pending: string[];
}

/** What an operation tells while it runs. */
export type OperationEvent =
  | { kind: "started"; change: ResourceChange }
  | { kind: "finished"; change: ResourceChange }
  | { kind: "failed"; change: ResourceChange }
  /** A line of a resource or of the program. */
  | { kind: "message"; severity: "info" | "warning" | "error"; resource: string | undefined; text: string };

export interface OperationResult {
  changes: ResourceChange[];
  unchanged: number;
  /** The stack's outputs, secrets as `[secret]`; empty in previews of what is not there yet. */
  outputs: Record<string, unknown>;
}

export interface OperationOptions {
  engine: EngineInstallation;
  root: string;
  stack: string;
  onEvent?: (event: OperationEvent) => void;
  signal?: AbortSignal | undefined;
  runId: string;
}

/** Steps that leave a resource as it is, or only belong to another step. */
const quiet = new Set([
  "same",
  "read",
  "read-replacement",
  "refresh",
  "create-replacement",
  "delete-replaced",
  "remove-pending-replace",
]);
const actions: Record<string, string> = { discard: "discard", "discard-replaced": "discard", import: "import" };

/**
 * Runs an operation of the engine on a stack.
 *
 * @throws OperationError when it fails; its messages were passed to `onEvent` and are in the error, too
 */
export async function runOperation(kind: OperationKind, options: OperationOptions): Promise<OperationResult> {
  const reading = new EventReading(options.onEvent ?? (() => undefined));
  const flags = kind === "preview" ? [] : ["--yes", "--skip-preview"];
  const exit = await runEngine(options.engine, {
    root: options.root,
    args: [kind, "--stack", options.stack, "--json", ...flags],
    onLine: (line) => reading.line(line),
    signal: options.signal,
    // A preview streams its events like every other operation only when asked to.
    variables: { PULUMI_ENABLE_STREAMING_JSON_PREVIEW: "true", PGW_RUN_ID: options.runId },
  });
  if (exit.code !== 0) throw operationFailed(kind, options.stack, reading, exit.stderr);
  return { changes: reading.changes, unchanged: reading.unchanged, outputs: reading.outputs };
}

/** Follows the engine's event stream, one JSON object a line. */
class EventReading {
  readonly changes: ResourceChange[] = [];
  readonly errors: string[] = [];
  unchanged = 0;
  outputs: Record<string, unknown> = {};
  readonly #onEvent: (event: OperationEvent) => void;

  constructor(onEvent: (event: OperationEvent) => void) {
    this.#onEvent = onEvent;
  }

  line(line: string): void {
    if (!line.startsWith("{")) return;
    const event = JSON.parse(line) as EngineEvent;
    if (event.resourcePreEvent !== undefined) this.#started(event.resourcePreEvent.metadata);
    if (event.resOutputsEvent !== undefined) this.#finished(event.resOutputsEvent.metadata);
    if (event.resOpFailedEvent !== undefined)
      this.#onEvent({ kind: "failed", change: changeOf(event.resOpFailedEvent.metadata) });
    if (event.diagnosticEvent !== undefined) this.#message(event.diagnosticEvent);
  }

  #started(metadata: StepEventMetadata): void {
    if (!quiet.has(metadata.op) && !isContainer(metadata))
      this.#onEvent({ kind: "started", change: changeOf(metadata) });
  }

  #finished(metadata: StepEventMetadata): void {
    if (metadata.type === "pulumi:pulumi:Stack")
      this.outputs = unsealed(metadata.new?.outputs ?? {}) as Record<string, unknown>;
    if (isContainer(metadata)) return;
    // A refresh answers "refresh" for what is as it was, and the difference where it is not.
    const changed = metadata.op === "refresh" ? (metadata.diffs?.length ?? 0) > 0 : !quiet.has(metadata.op);
    if (!changed) {
      if (metadata.op === "same" || metadata.op === "refresh") this.unchanged += 1;
      return;
    }
    const change = changeOf(metadata);
    this.changes.push(change);
    this.#onEvent({ kind: "finished", change });
  }

  #message(event: NonNullable<EngineEvent["diagnosticEvent"]>): void {
    const text = event.message.trimEnd();
    // The SDK writes the engine's own log as diagnostics of severity "debug", which its types do not list.
    if (text === "" || (event.severity as string) === "debug" || event.ephemeral === true) return;
    if (saysOnlyFailed(text)) return;
    const severity = event.severity === "warning" ? "warning" : event.severity === "error" ? "error" : "info";
    if (severity === "error") this.errors.push(text);
    const resource = event.urn === undefined || event.urn === "" ? undefined : nameOf(event.urn);
    this.#onEvent({ kind: "message", severity, resource, text });
  }
}

/** Components and the stack itself only hold others: what happens to those is told. */
function isContainer(metadata: StepEventMetadata): boolean {
  return metadata.type === "pulumi:pulumi:Stack" || metadata.type.startsWith("pgroundwork:components:");
}

function changeOf(metadata: StepEventMetadata): ResourceChange {
  const pending: unknown = metadata.new?.inputs.pending;
  return {
    action: actions[metadata.op] ?? metadata.op,
    type: metadata.type,
    name: nameOf(metadata.urn),
    properties: metadata.op === "create" ? [] : (metadata.diffs ?? []),
    pending: Array.isArray(pending) ? pending.map(String) : [],
  };
}

function nameOf(urn: string): string {
  return urn.slice(urn.lastIndexOf("::") + 2);
}

/** Secrets arrive as wrapped ciphertexts; what shows of them is that they are secrets. */
function unsealed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unsealed);
  if (typeof value !== "object" || value === null) return value;
  if ("4dabf18193072939515e22adb298388d" in value) return "[secret]";
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, unsealed(inner)]));
}

/** The engine's last word, among its events and after them ("error: update failed"): it adds nothing to the messages before it. */
function saysOnlyFailed(line: string): boolean {
  return /^(error: )?(update|preview|refresh|destroy) failed$/.test(line);
}

function operationFailed(kind: OperationKind, stack: string, reading: EventReading, stderr: string): OperationError {
  const said = stderr.split("\n").filter((line) => line.trim() !== "" && !saysOnlyFailed(line));
  const locked = lockedError(stack, said);
  if (locked !== undefined) return locked;
  const detail = reading.errors.length > 0 ? reading.errors : said;
  // The engine says the line and not the file.
  const remedy = detail.some((line) => line.includes("invalid YAML file"))
    ? `Correct Pulumi.${stack}.yaml (or Pulumi.yaml).`
    : undefined;
  return new EngineFailure(`${kind} of stack "${stack}" failed.`, detail, reading.errors.length > 0, remedy);
}

/** An operation that the engine could not finish. */
export class EngineFailure extends OperationError {
  /** The engine's messages. */
  readonly messages: readonly string[];
  /** Whether `onEvent` was given them already, so that nobody shows them twice. */
  readonly shown: boolean;

  constructor(headline: string, messages: readonly string[], shown: boolean, remedy?: string) {
    const text = shown || messages.length === 0 ? headline : `${headline}\n${messages.join("\n")}`;
    super(text, remedy === undefined ? {} : { remedy });
    this.messages = messages;
    this.shown = shown;
  }
}
