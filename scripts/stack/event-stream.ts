import type { EngineEvent, StepEventMetadata } from "@pulumi/pulumi/automation/events.js";
import { attributesFound } from "./adoption.ts";

/** One thing that an operation did to a resource, or in a preview would do. */
export interface ResourceChange {
  /**
   * `create`, `update`, `delete`, `replace`, …; `adopt`: the server had it before the stack knew it; `leave`: it is declared no more, and stays on the
   * server.
   */
  action: string;
  /** Type token: `postgresql:index/role:Role`. */
  type: string;
  name: string;
  /** Properties that differ, for updates; what is corrected of something adopted. */
  properties: string[];
  /** Owner and attributes that something adopted had before it was corrected, in PostgreSQL's words. */
  found?: string[];
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
const actions: Record<string, string> = { "discard-replaced": "discard", import: "adopt" };

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
  /** By URN. What is corrected of something adopted comes as a step of its own, and is told as one with the adoption. */
  readonly #adopted = new Map<string, ResourceChange>();

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
      this.#onEvent({ kind: "failed", change: this.#changeOf(event.resOpFailedEvent.metadata) });
    if (event.diagnosticEvent !== undefined) this.#message(event.diagnosticEvent);
  }

  #started(metadata: StepEventMetadata): void {
    if (!isQuiet(metadata) && !isContainer(metadata))
      this.#onEvent({ kind: "started", change: this.#changeOf(metadata) });
  }

  #finished(metadata: StepEventMetadata): void {
    if (metadata.type === "pulumi:pulumi:Stack")
      this.outputs = unsealed(metadata.new?.outputs ?? {}) as Record<string, unknown>;
    if (isContainer(metadata)) return;
    // A refresh answers "refresh" for what is as it was, and the difference where it is not.
    const changed = metadata.op === "refresh" ? (metadata.diffs?.length ?? 0) > 0 : !isQuiet(metadata);
    if (!changed) {
      // Of something adopted that needs no correction the next step says that it is the same.
      if (this.#adopted.has(metadata.urn)) return;
      if (metadata.op === "same" || metadata.op === "refresh" || isLoginOfProvider(metadata)) this.unchanged += 1;
      return;
    }
    const change = this.#changeOf(metadata);
    const adopted = this.#adopted.get(metadata.urn);
    if (adopted === undefined) this.changes.push(change);
    else this.changes[this.changes.indexOf(adopted)] = change;
    if (change.action === "adopt") this.#adopted.set(metadata.urn, change);
    this.#onEvent({ kind: "finished", change });
  }

  #changeOf(metadata: StepEventMetadata): ResourceChange {
    const change = changeOf(metadata, this.#isRefresh);
    const adopted = this.#adopted.get(metadata.urn);
    return adopted === undefined ? change : { ...adopted, properties: change.properties.toSorted() };
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

function isQuiet(metadata: StepEventMetadata): boolean {
  return quiet.has(metadata.op) || isLoginOfProvider(metadata);
}

/**
 * How a provider logs in has changed. On the server nothing does by that, and a preview cannot show it: while a password is not known yet, it logs in with the
 * one that holds.
 */
function isLoginOfProvider({ op, type }: StepEventMetadata): boolean {
  return op === "update" && type.startsWith("pulumi:providers:");
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
    properties: metadata.op === "create" || metadata.op === "import" ? [] : changedProperties(metadata),
    ...(metadata.op === "import" ? { found: attributesFound(metadata.type, metadata.new?.outputs ?? {}) } : {}),
    pending: Array.isArray(pending) ? pending.map(String) : [],
  };
}

/** What differs, a property each; of an object (`settings`) the members, where the provider tells them. */
function changedProperties({ diffs, detailedDiff }: StepEventMetadata): string[] {
  // The engine writes null where there is none, which its types do not say.
  const paths = Object.keys(detailedDiff ?? {});
  return (diffs ?? []).flatMap((property) => {
    const members = paths.filter((path) => path.startsWith(`${property}.`) || path.startsWith(`${property}["`));
    return members.length > 0 ? members : [property];
  });
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
