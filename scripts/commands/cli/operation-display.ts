import type { OperationEvent, ResourceChange } from "../../stack/event-stream.ts";
import type { OperationKind } from "../../stack/operation.ts";
import { style } from "./output.ts";
import { ProgressLine } from "./progress-line.ts";
import type { Run } from "./run.ts";

/** Shows an operation while it runs: messages as they come, and what is being done on one line that changes. */
export class OperationDisplay {
  readonly #run: Run;
  readonly #progress = new ProgressLine();
  readonly #kind: OperationKind;
  readonly #stack: string;
  readonly #started = performance.now();
  readonly #errors = new Set<string>();

  constructor(run: Run, kind: OperationKind, stack: string) {
    this.#run = run;
    this.#kind = kind;
    this.#stack = stack;
  }

  readonly onEvent = (event: OperationEvent): void => {
    this.#run.log.info({ operation: this.#kind, stack: this.#stack, ...logged(event) }, `resource ${event.kind}`);
    if (event.kind === "message") this.#message(event);
    else if (event.kind === "started") this.#step(event.change);
  };

  close(): void {
    this.#progress.clear();
  }

  #step(change: ResourceChange): void {
    // Elsewhere than on a terminal a line for every resource would bury the few that matter.
    if (!process.stderr.isTTY) return;
    this.#progress.show(`${this.#kind} of stack ${this.#stack}: ${change.name}`, performance.now() - this.#started);
  }

  #message(event: Extract<OperationEvent, { kind: "message" }>): void {
    if (this.#kind === "preview" && event.severity === "info" && repeatsPending(event.text)) return;
    // What was asked to stop says that it did.
    if (this.#run.signal.aborted && saysOnlyCancelled(event.text)) return;
    // Every resource of a server that does not answer fails with the same words: once is enough.
    if (event.severity === "error" && this.#errors.has(event.text)) return;
    if (event.severity === "error") this.#errors.add(event.text);
    this.#progress.clear();
    const prefix = event.resource === undefined ? "" : `${style("dim", `${event.resource}:`, process.stderr)} `;
    if (event.severity === "error") this.#run.out.error(`${prefix}${event.text}`);
    else if (event.severity === "warning") this.#run.out.warn(`${prefix}${event.text}`);
    else this.#run.out.note(`${prefix}${event.text}`);
  }
}

/** What the log has of an event. */
function logged(event: OperationEvent): object {
  if (event.kind === "message") return { resource: event.resource, severity: event.severity, text: event.text };
  const { action, type, name } = event.change;
  return { resource: name, type, action };
}

/** A preview's answer lists what is pending: the lines that say so for `pulumi preview` would only repeat it. */
function repeatsPending(text: string): boolean {
  return /^(pending (migration|seed): |partition to make: |pending unknown, )/.test(text);
}

/** The words of the engine and of plugins for a step that was cancelled. */
function saysOnlyCancelled(text: string): boolean {
  return /^(.*: )?(context |(update|refresh|preview) )?cancell?ed\.?$/i.test(text);
}
