import type { EngineEvent, StepEventMetadata } from "@pulumi/pulumi/automation/events.js";
import { mask } from "../core/secret-names.ts";
import { attributesFound } from "./adoption.ts";

/** A change that an operation made to a resource, or that a preview announces. */
export interface ResourceChange {
  /**
   * `create`, `update`, `delete`, `replace`, …; `adopt`: it existed on the server before the stack managed it; `leave`:
   * it is no longer declared, and stays on the server.
   */
  action: string;
  /** Type token: `postgresql:index/role:Role`. */
  type: string;
  name: string;
  /** Changed properties, for updates. For adopted objects, the corrected ones. */
  properties: string[];
  /** Owner and attributes of an adopted object before it was corrected, in PostgreSQL's words. */
  found?: string[];
  /** Names of migrations, seeds or partitions that will run, or the reason they are unknown. */
  pending: string[];
  /** Name of the database that the resource belongs to. */
  database?: string;
}

/** A step of the engine that is running, including one that changes nothing. */
export interface RunningStep {
  urn: string;
  /** The engine's word: `create`, `same`, `refresh`, … */
  action: string;
  name: string;
}

/** Progress of a running operation. */
export type ProgressEvent =
  | { kind: "begun"; step: RunningStep }
  /** The last line that a running step reported: of an image build, or the migration that runs. */
  | { kind: "status"; urn: string; text: string }
  | { kind: "ended"; urn: string };

/** Events of a running operation. */
export type OperationEvent =
  | { kind: "started"; change: ResourceChange }
  | { kind: "finished"; change: ResourceChange }
  | { kind: "failed"; change: ResourceChange }
  /** A message of a resource or of the program. */
  | { kind: "message"; severity: "info" | "warning" | "error"; resource: string | undefined; text: string };

/** Steps that do not change a resource, or that are only part of another step. */
const quiet = new Set([
  "same",
  "read",
  "read-replacement",
  "refresh",
  "create-replacement",
  "delete-replaced",
  "remove-pending-replace",
]);
/** Steps that users know by another name. */
const actions: Record<string, string> = { "discard-replaced": "discard", import: "adopt" };

/** Parses the engine's event stream, one JSON object per line. */
export class EventStream {
  readonly changes: ResourceChange[] = [];
  readonly errors: string[] = [];
  /** Names of resources at which an earlier run was interrupted. The engine does not know their state. */
  readonly interrupted: string[] = [];
  unchanged = 0;
  outputs: Record<string, unknown> = {};
  readonly #onEvent: (event: OperationEvent) => void;
  readonly #isRefresh: boolean;
  readonly #onProgress: (event: ProgressEvent) => void;
  /** Adopted resources by URN. Their correction is a step of its own, and is reported together with the adoption. */
  readonly #adopted = new Map<string, ResourceChange>();

  constructor(
    onEvent: (event: OperationEvent) => void,
    isRefresh: boolean,
    onProgress: (event: ProgressEvent) => void = () => undefined,
  ) {
    this.#onEvent = onEvent;
    this.#onProgress = onProgress;
    this.#isRefresh = isRefresh;
  }

  line(line: string): void {
    if (!line.startsWith("{")) return;
    const event = JSON.parse(line) as EngineEvent;
    if (event.resourcePreEvent !== undefined) this.#started(event.resourcePreEvent.metadata);
    if (event.resOutputsEvent !== undefined) this.#finished(event.resOutputsEvent.metadata);
    if (event.resOpFailedEvent !== undefined) this.#failed(event.resOpFailedEvent.metadata);
    if (event.diagnosticEvent !== undefined) this.#message(event.diagnosticEvent);
  }

  #started(metadata: StepEventMetadata): void {
    const { urn, op: action } = metadata;
    if (!isContainer(metadata)) this.#onProgress({ kind: "begun", step: { urn, action, name: nameOf(urn) } });
    if (!isQuiet(metadata) && !isContainer(metadata))
      this.#onEvent({ kind: "started", change: this.#changeOf(metadata) });
  }

  #failed(metadata: StepEventMetadata): void {
    this.#onProgress({ kind: "ended", urn: metadata.urn });
    this.#onEvent({ kind: "failed", change: this.#changeOf(metadata) });
  }

  #finished(metadata: StepEventMetadata): void {
    if (!isContainer(metadata)) this.#onProgress({ kind: "ended", urn: metadata.urn });
    if (metadata.type === "pulumi:pulumi:Stack")
      this.outputs = unsealed(metadata.new?.outputs ?? {}) as Record<string, unknown>;
    if (isContainer(metadata)) return;
    // The operation of a refreshed resource is "refresh" if nothing differs. Otherwise the differences are listed.
    const changed = metadata.op === "refresh" ? (metadata.diffs?.length ?? 0) > 0 : !isQuiet(metadata);
    if (!changed) {
      // If an adopted resource needs no correction, the next step reports it as unchanged.
      if (this.#adopted.has(metadata.urn)) return;
      if (metadata.op === "same" || metadata.op === "refresh" || isBookkeeping(metadata)) this.unchanged += 1;
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
    if (text === "" || (event.severity as string) === "debug") return;
    if (event.ephemeral === true) {
      if (event.urn) this.#onProgress({ kind: "status", urn: event.urn, text });
      return;
    }
    if (saysOnlyFailed(text) || this.#interruption(text)) return;
    if (this.errors.length > 0 && saysOnlyDisconnected(text)) return;
    const severity = event.severity === "warning" ? "warning" : event.severity === "error" ? "error" : "info";
    // The output of a panicking plugin is not an error event, and says more than the error that follows.
    if (severity === "error" || text.includes("Data integrity error")) this.errors.push(text);
    const resource = event.urn === undefined || event.urn === "" ? undefined : nameOf(event.urn);
    this.#onEvent({ kind: "message", severity, resource, text });
  }

  /** Handles the engine's warning about an interrupted run. Its text ends in advice for another cloud. */
  #interruption(text: string): boolean {
    if (!text.startsWith("Attempting to deploy or update resources with")) return false;
    for (const [, urn = ""] of text.matchAll(/^\s*\* (\S+), interrupted while/gm)) this.interrupted.push(nameOf(urn));
    const what = `An earlier run was interrupted at ${this.interrupted.join(", ")}. This run adopts what it left.`;
    this.#onEvent({ kind: "message", severity: "warning", resource: undefined, text: what });
    return true;
  }
}

function isQuiet(metadata: StepEventMetadata): boolean {
  return quiet.has(metadata.op) || isBookkeeping(metadata);
}

/** Returns true if an update changes only what the state records, and nothing on the server. */
function isBookkeeping(metadata: StepEventMetadata): boolean {
  return isLoginOfProvider(metadata) || isRecordOfApplied(metadata);
}

/**
 * Returns true if only the list of applied migrations has changed, because `migrate up` or another tool applied them.
 * The resource has nothing to do, and the state adopts the list.
 */
function isRecordOfApplied({ op, type, diffs }: StepEventMetadata): boolean {
  return op === "update" && type === "pgroundwork:index:Migrations" && diffs?.join() === "applied";
}

/**
 * Returns true if only a provider's login has changed. This changes nothing on the server, and a preview cannot show
 * it. While a new password is unknown, the provider logs in with the current one.
 */
function isLoginOfProvider({ op, type }: StepEventMetadata): boolean {
  return op === "update" && type.startsWith("pulumi:providers:");
}

/** Returns true for components and the stack itself. They only contain other resources, whose changes are reported. */
function isContainer(metadata: StepEventMetadata): boolean {
  return metadata.type === "pulumi:pulumi:Stack" || metadata.type.startsWith("pgroundwork:components:");
}

function changeOf(metadata: StepEventMetadata, isRefresh: boolean): ResourceChange {
  const pending: unknown = metadata.new?.inputs.pending;
  // No longer declared, but kept on the server. In a refresh, the same step means that the resource is gone.
  const isLeft = !isRefresh && metadata.op === "delete" && metadata.old?.retainOnDelete === true;
  return {
    action: isLeft ? "leave" : (actions[metadata.op] ?? metadata.op),
    type: metadata.type,
    name: nameOf(metadata.urn),
    properties: metadata.op === "create" || metadata.op === "import" ? [] : changedProperties(metadata),
    ...(metadata.op === "import" ? { found: attributesFound(metadata.type, metadata.new?.outputs ?? {}) } : {}),
    pending: Array.isArray(pending) ? pending.map(String) : [],
    ...databaseOf(metadata.new?.parent),
  };
}

/** Returns the database of a resource, from the URN of the component that contains it. */
function databaseOf(parent: string | undefined): { database: string } | undefined {
  if (parent === undefined || !/[:$]pgroundwork:components:Database::[^:]+$/.test(parent)) return undefined;
  return { database: nameOf(parent) };
}

/** Lists the changed properties. Changed members of an object (`settings`) are listed if the provider reports them. */
function changedProperties({ diffs, detailedDiff }: StepEventMetadata): string[] {
  // The engine writes null if there is no diff, although its types do not allow it.
  const paths = Object.keys(detailedDiff ?? {});
  return (diffs ?? []).flatMap((property) => {
    const members = paths.filter((path) => path.startsWith(`${property}.`) || path.startsWith(`${property}["`));
    return members.length > 0 ? members : [property];
  });
}

function nameOf(urn: string): string {
  return urn.slice(urn.lastIndexOf("::") + 2);
}

/** Replaces secrets, which arrive as wrapped ciphertexts, with a mask. */
function unsealed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unsealed);
  if (typeof value !== "object" || value === null) return value;
  if ("4dabf18193072939515e22adb298388d" in value) return mask;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, unsealed(inner)]));
}

/**
 * Returns true for the engine's closing line ("error: update failed"), which adds nothing to the messages before it.
 */
export function saysOnlyFailed(line: string): boolean {
  return /^(error: )?(update|preview|refresh|destroy) failed$/.test(line);
}

/**
 * Returns true for the program's error that the engine is gone. After a resource has failed, the engine can end before
 * the program has registered its other resources.
 */
function saysOnlyDisconnected(text: string): boolean {
  return /^Running program .* failed with an unhandled exception:\s[\s\S]*Error: 14 UNAVAILABLE: /.test(text);
}
