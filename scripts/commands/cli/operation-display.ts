import type { OperationEvent, OperationKind, OperationResult, ResourceChange } from "../../stack/operation.ts";
import { style } from "./output.ts";
import { ProgressLine } from "./progress-line.ts";
import type { Run } from "./run.ts";

const signs: Record<string, string> = {
  create: "+",
  import: "=",
  update: "~",
  replace: "±",
  delete: "-",
  refresh: "~",
  discard: "-",
};

/** Shows an operation while it runs: messages as they come, and what is being done on one line that changes. */
export class OperationDisplay {
  readonly #run: Run;
  readonly #progress = new ProgressLine();
  readonly #kind: OperationKind;
  readonly #stack: string;
  readonly #started = performance.now();

  constructor(run: Run, kind: OperationKind, stack: string) {
    this.#run = run;
    this.#kind = kind;
    this.#stack = stack;
  }

  readonly onEvent = (event: OperationEvent): void => {
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
    // A preview's answer lists what is pending: the lines that say so for `pulumi preview` would only repeat it.
    if (this.#kind === "preview" && event.severity === "info") return;
    this.#progress.clear();
    const prefix = event.resource === undefined ? "" : `${style("dim", `${event.resource}:`, process.stderr)} `;
    if (event.severity === "error") this.#run.out.error(`${prefix}${event.text}`);
    else if (event.severity === "warning") this.#run.out.warn(`${prefix}${event.text}`);
    else this.#run.out.note(`${prefix}${event.text}`);
  }
}

/** What `up` changed: updates and deletions a line each, what was made only counted. */
export function describeUp({ changes, unchanged }: OperationResult): string {
  const told = changes.filter(({ action }) => action !== "create").map((change) => describeChange(change));
  return [...told, countLine({ changes, unchanged })].join("\n");
}

/** What changed, a line each; in a preview what would. */
export function describeChanges(result: Pick<OperationResult, "changes" | "unchanged">): string {
  const lines = result.changes.map((change) => describeChange(change));
  return [...lines, countLine(result)].join("\n");
}

/** `3 to create, 1 to update, 38 unchanged`. */
function countLine({ changes, unchanged }: Pick<OperationResult, "changes" | "unchanged">): string {
  if (changes.length === 0) return `no changes (${unchanged} resources)`;
  const counts = new Map<string, number>();
  for (const { action } of changes) counts.set(action, (counts.get(action) ?? 0) + 1);
  const parts = [...counts].map(([action, count]) => `${count} ${action}`);
  return `${parts.join(", ")}, ${unchanged} unchanged`;
}

function describeChange({ action, type, name, properties, pending }: ResourceChange): string {
  const sign = style(action === "create" ? "green" : action === "delete" ? "red" : "yellow", signs[action] ?? "*");
  const kind = type.slice(type.lastIndexOf(":") + 1);
  const details = properties.length > 0 && pending.length === 0 ? style("dim", ` (${properties.join(", ")})`) : "";
  const items = pending.map((item) => `\n      ${item}`);
  return `  ${sign} ${kind} ${name}${details}${items.join("")}`;
}
