import type { OperationKind } from "../stack/engine-operation.ts";
import type { OperationEvent, ProgressEvent } from "../stack/event-stream.ts";
import type { CommandContext } from "./context.ts";
import { withElapsed } from "./elapsed.ts";
import { style } from "./output.ts";
import { ProgressLine } from "./progress-line.ts";
import { RunningSteps } from "./running-steps.ts";

/** Display of a running operation: messages as they arrive, and its progress on one line that changes. */
export class OperationDisplay {
  readonly #context: CommandContext;
  readonly #progress = new ProgressLine();
  readonly #kind: OperationKind;
  readonly #stack: string;
  #steps = new RunningSteps();
  readonly #errors = new Set<string>();

  constructor(context: CommandContext, kind: OperationKind, stack: string) {
    this.#context = context;
    this.#kind = kind;
    this.#stack = stack;
  }

  /** Starts to show the progress of the engine. */
  open(): void {
    const began = performance.now();
    this.#steps = new RunningSteps();
    this.#context.out.use(this.#progress);
    this.#progress.start(() => {
      const now = performance.now();
      return `${withElapsed(`${this.#kind} ${this.#stack}`, now - began)}: ${this.#steps.describe(now)}`;
    });
  }

  readonly onProgress = (event: ProgressEvent): void => {
    this.#steps.follow(event, performance.now());
    if (process.stderr.isTTY) this.#progress.update();
  };

  readonly onEvent = (event: OperationEvent): void => {
    this.#context.log.info({ operation: this.#kind, stack: this.#stack, ...logged(event) }, `resource ${event.kind}`);
    if (event.kind === "message") this.#message(event);
  };

  close(): void {
    this.#progress.stop();
  }

  #message(event: Extract<OperationEvent, { kind: "message" }>): void {
    if (this.#kind === "preview" && event.severity === "info" && repeatsPending(event.text)) return;
    // The cancellation was requested, so its message is no news.
    if (this.#context.signal.aborted && saysOnlyCancelled(event.text)) return;
    // If a server does not answer, each of its resources fails with the same message: print it once.
    if (event.severity === "error" && this.#errors.has(event.text)) return;
    if (event.severity === "error") this.#errors.add(event.text);
    const prefix = event.resource === undefined ? "" : `${style("dim", `${event.resource}:`, process.stderr)} `;
    if (event.severity === "error") this.#context.out.error(`${prefix}${event.text}`);
    else if (event.severity === "warning") this.#context.out.warn(`${prefix}${event.text}`);
    else this.#context.out.note(`${prefix}${event.text}`);
  }
}

/** Returns the fields of an event for the log. */
function logged(event: OperationEvent): object {
  if (event.kind === "message") return { resource: event.resource, severity: event.severity, text: event.text };
  const { action, type, name } = event.change;
  return { resource: name, type, action };
}

/**
 * Returns true for messages meant for `pulumi preview`. The answer of our own preview lists what is pending already.
 */
function repeatsPending(text: string): boolean {
  return /^(pending (migration|seed): |partition to create: |pending unknown, )/.test(text);
}

/** Returns true if a message of the engine or a plugin says only that a step was cancelled. */
function saysOnlyCancelled(text: string): boolean {
  return /^(.*: )?(context |(update|refresh|preview) )?cancell?ed\.?$/i.test(text);
}
