/** Key under which a bridged provider plugin keeps the parts of the Terraform state that a resource's outputs lack. */
export const deltaKey = "__pulumi_raw_state_delta";

/** Delta in the bridge's format. It says which values are maps, objects and lists, at every level. */
export interface Delta {
  map?: { m?: Record<string, Delta> };
  obj?: { ps?: Record<string, Delta> };
  arr?: { el?: Record<string, Delta> };
  set?: { el?: Record<string, Delta> };
  /** A list with at most one element. The outputs have the element itself. */
  plu?: { i?: Delta };
}

type Values = Readonly<Record<string, unknown>>;

/**
 * Finds the first value that contradicts a resource's delta. The official plugin panics on it, in every command.
 *
 * @returns path and problem of the value; undefined if the delta fits, or if there is none
 */
export function deltaMisfit(outputs: Values): string | undefined {
  const delta = outputs[deltaKey];
  return isObject(delta) ? misfit(outputs, delta as Delta, "") : undefined;
}

function misfit(value: unknown, delta: Delta, path: string): string | undefined {
  if (isSecret(value)) return undefined;
  if (delta.plu !== undefined)
    return value === null || value === undefined ? undefined : misfit(value, delta.plu.i ?? {}, path);
  if (delta.map !== undefined) return isObject(value) ? undefined : `${path} is no map`;
  if (delta.obj !== undefined)
    return isObject(value) ? misfitWithin(value, delta.obj.ps ?? {}, path) : `${path} is no object`;
  const list = delta.arr ?? delta.set;
  if (list !== undefined) return Array.isArray(value) ? misfitInList(value, list.el ?? {}, path) : `${path} is no list`;
  // Without a delta, a map cannot be told from an object.
  if (isObject(value)) return `${path} is a map or an object`;
  return Array.isArray(value) ? misfitInList(value, {}, path) : undefined;
}

function misfitWithin(values: Values, deltas: Readonly<Record<string, Delta>>, path: string): string | undefined {
  for (const [key, value] of Object.entries(values)) {
    if (key.startsWith("__")) continue;
    const found = misfit(value, deltas[key] ?? {}, path === "" ? key : `${path}.${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

function misfitInList(values: readonly unknown[], deltas: Readonly<Record<string, Delta>>, path: string) {
  const beyond = Object.keys(deltas).find((index) => Number(index) >= values.length);
  if (beyond !== undefined) return `${path}[${beyond}] is not there`;
  for (const [index, value] of values.entries()) {
    const found = misfit(value, deltas[index] ?? {}, `${path}[${index}]`);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isObject(value: unknown): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Returns true for an encrypted value, which cannot be checked. */
function isSecret(value: unknown): boolean {
  return isObject(value) && "4dabf18193072939515e22adb298388d" in value;
}
