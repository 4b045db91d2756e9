import type { DiffKind, DiffResult, PropertyChange, ResourceState } from "../provider-protocol/resource-type.ts";
import { isUnknown, type Properties } from "../provider-protocol/values.ts";
import { isChanged, isEmpty, type PropertyTable, sameValue } from "./property.ts";

/**
 * Compares the outputs of the last run or refresh with the wanted values, as the official plugin does. Drift shows
 * here, and no server is queried. Keys that the table does not know (`__…`, outputs of another version) are ignored.
 */
export function diffProperties(
  table: PropertyTable,
  old: ResourceState & { inputs: Properties },
  news: Properties,
): DiffResult {
  const changes: PropertyChange[] = [];
  for (const [key, property] of Object.entries(table)) {
    // If a state lacks this output (written by another version), the declared input is used.
    const before = old.outputs[key] === undefined ? old.inputs[key] : old.outputs[key];
    const after = news[key];
    if (!isUnknown(after) && !isChanged(property, before, after)) continue;
    const declaredOtherwise = isThere(old.inputs[key]) && !sameValue(property, old.inputs[key], after);
    const replaces = typeof property.replaces === "function" ? property.replaces(before, after) : property.replaces;
    changes.push({
      path: key,
      kind: changeKind(before, after),
      ...(replaces ? { replace: true } : {}),
      // Tells the engine where to find the old value that it shows: in the declared inputs, or in the outputs from the
      // server.
      input: declaredOtherwise || !isThere(before),
    });
  }
  // Old and new resources with the same name cannot exist together. Also, deleting the old one last would remove the
  // new one's privileges.
  return { changes, deleteBeforeReplace: changes.some((change) => change.replace) && keepsName(table, news) };
}

function changeKind(before: unknown, after: unknown): DiffKind {
  if (!isThere(before)) return "add";
  return isThere(after) ? "update" : "delete";
}

/** Returns true for a value to show. False and 0 are values; null, "" and [] are not. */
function isThere(value: unknown): boolean {
  return value === false || value === 0 || !isEmpty(value);
}

/**
 * Returns true if the name was not generated. Generated names use the engine's usual replacement order, as under the
 * official plugin.
 */
function keepsName(table: PropertyTable, news: Properties): boolean {
  const automatic = Array.isArray(news.__defaults) ? news.__defaults : [];
  return !Object.entries(table).some(([key, property]) => property.autoNamed && automatic.includes(key));
}
