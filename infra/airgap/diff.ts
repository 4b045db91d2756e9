import type { DiffKind, DiffResult, PropertyChange, ResourceState } from "../plugin/resource-type.ts";
import { isUnknown, type Properties } from "../plugin/values.ts";
import { isChanged, isEmpty, type PropertyTable, sameValue } from "./property.ts";

/**
 * Compares what the last run or refresh saw (the outputs) with what is wanted, as the official plugin does: drift shows here, and nothing
 * is asked of a server. Keys that the table does not know (`__…`, outputs of another version) are left alone.
 */
export function diffProperties(
  table: PropertyTable,
  old: ResourceState & { inputs: Properties },
  news: Properties,
): DiffResult {
  const changes: PropertyChange[] = [];
  for (const [key, property] of Object.entries(table)) {
    // A state without this output (written by another version) is taken at its inputs' word.
    const before = old.outputs[key] === undefined ? old.inputs[key] : old.outputs[key];
    const after = news[key];
    if (!isUnknown(after) && !isChanged(property, before, after)) continue;
    const declaredOtherwise = isThere(old.inputs[key]) && !sameValue(property, old.inputs[key], after);
    const replaces = typeof property.replaces === "function" ? property.replaces(before, after) : property.replaces;
    changes.push({
      path: key,
      kind: changeKind(before, after),
      ...(replaces ? { replace: true } : {}),
      // Tells the engine where the old value stands that it shows: what was declared, or else what the server had.
      input: declaredOtherwise || !isThere(before),
    });
  }
  // Old and new of the same name cannot stand beside each other; and deleting the old one last would take the new one's privileges.
  return { changes, deleteBeforeReplace: changes.some((change) => change.replace) && keepsName(table, news) };
}

function changeKind(before: unknown, after: unknown): DiffKind {
  if (!isThere(before)) return "add";
  return isThere(after) ? "update" : "delete";
}

/** False and 0 are values to show; null, "" and [] are none. */
function isThere(value: unknown): boolean {
  return value === false || value === 0 || !isEmpty(value);
}

/** Resources of a made-up name go by the engine's usual order, as under the official plugin. */
function keepsName(table: PropertyTable, news: Properties): boolean {
  const automatic = Array.isArray(news.__defaults) ? news.__defaults : [];
  return !Object.entries(table).some(([key, property]) => property.autoNamed && automatic.includes(key));
}
