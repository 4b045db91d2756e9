import type { OperationKind, OperationResult } from "../stack/engine-operation.ts";
import type { ResourceChange } from "../stack/event-stream.ts";
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

/** Past tenses of the engine's actions that are not formed by adding a "d". */
const past: Record<string, string> = {
  adopt: "adopted",
  refresh: "refreshed",
  discard: "discarded",
  leave: "kept on the server",
};

/**
 * Describes the changes of an operation, or the planned changes of a preview: one line each, and a count. A new
 * database is one line. After `up`, other created resources are only counted, because the summary below lists what
 * exists.
 *
 * @param all true to list every change in its own line
 */
export function describeChanges(kind: OperationKind, { changes, unchanged }: Changes, all = false): string {
  const created = all ? new Map<string, ResourceChange[]>() : newDatabases(changes);
  const lines = changes.flatMap((change) => {
    const ofDatabase = change.database === undefined ? undefined : created.get(change.database);
    if (ofDatabase !== undefined) return ofDatabase[0] === change ? [describeNewDatabase(ofDatabase)] : [];
    return kind === "up" && change.action === "create" && !all ? [] : [describeChange(kind, change)];
  });
  return [...lines, countLine(kind, { changes, unchanged })].join("\n");
}

/**
 * Returns the changes of each new database, by its name. If it adopts anything, or if its work is not known, every
 * change counts, and the database is left out.
 */
function newDatabases(changes: readonly ResourceChange[]): Map<string, ResourceChange[]> {
  const byDatabase = Map.groupBy(changes, ({ database }) => database);
  const found = new Map<string, ResourceChange[]>();
  for (const [database, ofDatabase] of byDatabase) {
    const isNew =
      ofDatabase.some(({ type }) => type === "postgresql:index/database:Database") &&
      ofDatabase.every(({ action, pending }) => action === "create" && !pending.some(isUnknown));
    if (database !== undefined && isNew) found.set(database, ofDatabase);
  }
  return found;
}

function isUnknown(pending: string): boolean {
  return pending.startsWith("pending unknown");
}

function describeNewDatabase(changes: readonly ResourceChange[]): string {
  const work = (kind: string) =>
    changes.filter(({ type }) => type.endsWith(`:${kind}`)).flatMap(({ pending }) => pending);
  const count = (number: number, what: string) => (number === 0 ? [] : [`${number} ${what}${number === 1 ? "" : "s"}`]);
  const counts = [
    ...count(changes.length, "resource"),
    ...count(work("Migrations").length, "migration"),
    ...count(work("Seeds").length, "seed file"),
  ];
  return `  ${style("green", "+")} database ${changes[0]?.database}${style("dim", ` (${counts.join(", ")}; list: --all)`)}`;
}

/**
 * Formats the counts: `3 to create, 1 to update, 38 unchanged`; after the operation `3 created, 1 updated, 38
 * unchanged`.
 */
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

/** Lists the properties that differ. For an adopted object, also lists the state it was found in. */
function detailsOf(operation: OperationKind, { found, properties }: ResourceChange): string {
  const differs = properties.join(", ");
  if (found === undefined) return differs;
  const [be, corrected] = operation === "preview" ? ["is", "to correct"] : ["was", "corrected"];
  return [
    ...(found.length === 0 ? [] : [`${be} ${found.join(", ")}`]),
    ...(differs === "" ? [] : [`${corrected}: ${differs}`]),
  ].join("; ");
}
