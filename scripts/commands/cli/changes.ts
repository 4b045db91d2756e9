import type { ResourceChange } from "../../stack/event-stream.ts";
import type { OperationKind, OperationResult } from "../../stack/operation.ts";
import { style } from "./output.ts";

type Changes = Pick<OperationResult, "changes" | "unchanged">;

const signs: Record<string, string> = {
  create: "+",
  adopt: "=",
  update: "~",
  replace: "±",
  delete: "-",
  refresh: "~",
  discard: "-",
  leave: "·",
};

/** The engine's words for what was done, where adding a "d" does not make them. */
const past: Record<string, string> = {
  adopt: "adopted",
  refresh: "refreshed",
  discard: "discarded",
  leave: "left on the server",
};

/**
 * What an operation changed, or in a preview would: a line each, and their number. After `up` what was made is only counted, since the
 * summary below it says what is there.
 */
export function describeChanges(kind: OperationKind, { changes, unchanged }: Changes): string {
  const told = kind === "up" ? changes.filter(({ action }) => action !== "create") : changes;
  return [...told.map((change) => describeChange(kind, change)), countLine(kind, { changes, unchanged })].join("\n");
}

/** `3 to create, 1 to update, 38 unchanged`; afterwards `3 created, 1 updated, 38 unchanged`. */
function countLine(kind: OperationKind, { changes, unchanged }: Changes): string {
  if (changes.length === 0) return `no changes (${unchanged} resources)`;
  const counts = new Map<string, number>();
  for (const { action } of changes) counts.set(action, (counts.get(action) ?? 0) + 1);
  const parts = [...counts].map(([action, count]) =>
    kind === "preview" ? `${count} to ${action}` : `${count} ${past[action] ?? `${action}d`}`,
  );
  return `${parts.join(", ")}, ${unchanged} unchanged`;
}

function describeChange(operation: OperationKind, change: ResourceChange): string {
  const { action, type, name, pending } = change;
  const colour = action === "create" ? "green" : action === "delete" ? "red" : "yellow";
  const sign = style(colour, signs[action] ?? "*");
  const kind = type.slice(type.lastIndexOf(":") + 1);
  const said = pending.length > 0 ? "" : detailsOf(operation, change);
  const details = said === "" ? "" : style("dim", ` (${said})`);
  return `  ${sign} ${kind} ${name}${details}${pending.map((item) => `\n      ${item}`).join("")}`;
}

/** What differs; of something adopted also how it was found. */
function detailsOf(operation: OperationKind, { found, properties }: ResourceChange): string {
  const differs = properties.join(", ");
  if (found === undefined) return differs;
  const [be, corrected] = operation === "preview" ? ["is", "to correct"] : ["was", "corrected"];
  return [
    ...(found.length === 0 ? [] : [`${be} ${found.join(", ")}`]),
    ...(differs === "" ? [] : [`${corrected}: ${differs}`]),
  ].join("; ");
}
