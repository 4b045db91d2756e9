import type { EngineEvent, StepEventMetadata } from "@pulumi/pulumi/automation/events.js";

/** One thing that an operation did to a resource, or in a preview would do. */
export interface ResourceChange {
  /** `create`, `update`, `delete`, `replace`, …; `leave`: it is declared no more, and stays on the server. */
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
/** Steps that people know by another name. */
const actions: Record<string, string> = { "discard-replaced": "discard" };

/** Follows the engine's event stream, one JSON object a line. */
export class EventStream {
  readonly changes: ResourceChange[] = [];
  readonly errors: string[] = [];
  /** Resources at which an earlier run was interrupted, by name: their state is not known to the engine. */
  readonly interrupted: string[] = [];
  unchanged = 0;
  outputs: Record<string, unknown> = {};
  readonly #onEvent: (event: OperationEvent) => void;
  readonly #isRefresh: boolean;

  constructor(onEvent: (event: OperationEvent) => void, isRefresh: boolean) {
    this.#onEvent = onEvent;
    this.#isRefresh = isRefresh;
  }

  line(line: string): void {
    if (!line.startsWith("{")) return;
    const event = JSON.parse(line) as EngineEvent;
    if (event.resourcePreEvent !== undefined) this.#started(event.resourcePreEvent.metadata);
    if (event.resOutputsEvent !== undefined) this.#finished(event.resOutputsEvent.metadata);
    if (event.resOpFailedEvent !== undefined)
      this.#onEvent({ kind: "failed", change: changeOf(event.resOpFailedEvent.metadata, this.#isRefresh) });
    if (event.diagnosticEvent !== undefined) this.#message(event.diagnosticEvent);
  }

  #started(metadata: StepEventMetadata): void {
    if (!quiet.has(metadata.op) && !isContainer(metadata))
      this.#onEvent({ kind: "started", change: changeOf(metadata, this.#isRefresh) });
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
    const change = changeOf(metadata, this.#isRefresh);
    this.changes.push(change);
    this.#onEvent({ kind: "finished", change });
  }

  #message(event: NonNullable<EngineEvent["diagnosticEvent"]>): void {
    const text = event.message.trimEnd();
    // The SDK writes the engine's own log as diagnostics of severity "debug", which its types do not list.
    if (text === "" || (event.severity as string) === "debug" || event.ephemeral === true) return;
    if (saysOnlyFailed(text) || this.#interruption(text)) return;
    const severity = event.severity === "warning" ? "warning" : event.severity === "error" ? "error" : "info";
    if (severity === "error") this.errors.push(text);
    const resource = event.urn === undefined || event.urn === "" ? undefined : nameOf(event.urn);
    this.#onEvent({ kind: "message", severity, resource, text });
  }

  /** The engine's warning about an earlier run, which ends in advice for another cloud. */
  #interruption(text: string): boolean {
    if (!text.startsWith("Attempting to deploy or update resources with")) return false;
    for (const [, urn = ""] of text.matchAll(/^\s*\* (\S+), interrupted while/gm)) this.interrupted.push(nameOf(urn));
    const what = `An earlier run was interrupted at ${this.interrupted.join(", ")}; what it left is taken over.`;
    this.#onEvent({ kind: "message", severity: "warning", resource: undefined, text: what });
    return true;
  }
}

/** Components and the stack itself only hold others: what happens to those is told. */
function isContainer(metadata: StepEventMetadata): boolean {
  return metadata.type === "pulumi:pulumi:Stack" || metadata.type.startsWith("pgroundwork:components:");
}

function changeOf(metadata: StepEventMetadata, isRefresh: boolean): ResourceChange {
  const pending: unknown = metadata.new?.inputs.pending;
  // What is declared no more, and stays where it is all the same. In a refresh the same step says that it is gone.
  const isLeft = !isRefresh && metadata.op === "delete" && metadata.old?.retainOnDelete === true;
  return {
    action: isLeft ? "leave" : (actions[metadata.op] ?? metadata.op),
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
export function saysOnlyFailed(line: string): boolean {
  return /^(error: )?(update|preview|refresh|destroy) failed$/.test(line);
}
