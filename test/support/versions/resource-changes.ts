import type { EngineEvent, StepEventMetadata } from "@pulumi/pulumi/automation/events.js";

/** Kinds of change; `same` is a resource that only has a new name or type. */
export const changeKinds = ["create", "update", "replace", "delete", "same"] as const;
export type ChangeKind = (typeof changeKinds)[number];

/** Change of one resource in a preview. */
export interface Change {
  change: ChangeKind;
  type: string;
  name: string;
  /** Properties that differ. */
  properties: string[];
}

/** The engine's steps and the kind of change that each belongs to; undefined for steps that change nothing. */
const kinds: Readonly<Record<string, ChangeKind | undefined>> = {
  same: undefined,
  read: undefined,
  create: "create",
  import: "create",
  update: "update",
  replace: "replace",
  "create-replacement": "replace",
  "delete-replaced": "replace",
  "import-replacement": "replace",
  "read-replacement": "replace",
  "discard-replaced": "replace",
  delete: "delete",
  discard: "delete",
};

/**
 * Properties by which a resource shows that its server does not run. Recorded stacks have no servers, so these
 * differences are expected. A resource that also differs in another property is reported.
 */
const absences: readonly { type: string; property: string; says?: RegExp }[] = [
  { type: "ContainerServer", property: "running" },
  { type: "ContainerProcess", property: "running" },
  { type: "BackupStanza", property: "archiving" },
  ...["Migrations", "Partitions", "Seeds"].map((type) => ({ type, property: "pending", says: /^pending unknown/ })),
];

/** Lists the changes in the events of a preview, one for each resource. */
export function changesIn(events: readonly EngineEvent[]): Change[] {
  const changes = new Map<string, Change>();
  for (const { resOutputsEvent } of events) {
    if (resOutputsEvent === undefined) continue;
    const change = changeOf(resOutputsEvent.metadata);
    // A replacement has several steps.
    if (change !== undefined) changes.set(`${change.type} ${change.name}`, change);
  }
  return [...changes.values()];
}

function changeOf(metadata: StepEventMetadata): Change | undefined {
  const { op, type, urn, old } = metadata;
  if (holdsOthersOnly(type)) return undefined;
  if (!(op in kinds))
    throw new Error(`The engine shows a step "${op}" of ${urn}, which the version test does not know.`);
  const kind = kinds[op] ?? (old !== undefined && isRenamed(old.urn, urn) ? "same" : undefined);
  if (kind === undefined) return undefined;
  const properties = (metadata.diffs ?? []).filter((property) => !saysAbsent(metadata, property));
  if (kind === "update" && properties.length === 0 && (metadata.diffs ?? []).length > 0) return undefined;
  return { change: kind, type, name: nameOf(urn), properties };
}

/** Returns true for the stack and its components, which hold nothing themselves; their resources are reported. */
function holdsOthersOnly(type: string): boolean {
  return type === "pulumi:pulumi:Stack" || type.startsWith("pgroundwork:components:");
}

/** Compares only type and name: if a component's type changes, so do the other parts of its resources' URNs. */
function isRenamed(before: string, after: string): boolean {
  return nameOf(before) !== nameOf(after) || typeOf(before) !== typeOf(after);
}

function saysAbsent({ type, new: after }: StepEventMetadata, property: string): boolean {
  const absence = absences.find((each) => type.endsWith(`:${each.type}`) && each.property === property);
  if (absence?.says === undefined) return absence !== undefined;
  const value: unknown = after?.inputs[property];
  return Array.isArray(value) && value.length > 0 && value.every((text) => absence.says?.test(String(text)));
}

function nameOf(urn: string): string {
  return urn.slice(urn.lastIndexOf("::") + 2);
}

/** Parses the type from `urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME`. */
function typeOf(urn: string): string {
  const path = urn.split("::")[2] ?? "";
  return path.slice(path.lastIndexOf("$") + 1);
}
