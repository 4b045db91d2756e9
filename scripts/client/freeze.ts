/**
 * Freezes rows with all that they contain, so that callers can share them. Maps and sets refuse changes. Bytes and
 * dates cannot be frozen.
 */
export function deepFreeze<T>(value: T): T {
  const seen = new Set<object>();
  const open: unknown[] = [value];
  while (open.length > 0) {
    const each = open.pop();
    if (typeof each !== "object" || each === null || seen.has(each) || ArrayBuffer.isView(each)) continue;
    seen.add(each);
    for (const content of contentOf(each)) open.push(content);
    Object.freeze(each);
  }
  return value;
}

/** Returns what an object contains. Removes the methods of maps and sets that change them, which freezing leaves. */
function* contentOf(value: object): Iterable<unknown> {
  if (value instanceof Map || value instanceof Set) {
    if (!Object.isFrozen(value))
      for (const method of ["set", "add", "delete", "clear"])
        if (method in value) Object.defineProperty(value, method, { value: refuse });
    for (const entry of value.entries()) yield* entry;
  }
  yield* Object.values(value);
}

function refuse(): never {
  throw new TypeError("A cached value is shared and cannot be changed. Change a copy.");
}
