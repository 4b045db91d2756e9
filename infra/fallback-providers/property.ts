import type { Properties } from "../provider-protocol/values.ts";

/**
 * Kind of an input. A `set` is unordered and a `list` ordered; both contain strings. A `map` contains strings by name.
 * An `object` has its own fields, and `objects` are a set of them.
 */
export type PropertyKind = "string" | "number" | "boolean" | "set" | "list" | "map" | "object" | "objects";

/** One input of a resource type, as in the official plugin's schema. */
export interface Property {
  kind: PropertyKind;
  /** Fields of an `object`, or of each of `objects`. */
  fields?: PropertyTable;
  required?: true;
  /** Filled in if the program omits the input, and listed in `__defaults`. */
  default?: string | number | boolean;
  /** True if any value of the server is right when the program omits the input. */
  computed?: true;
  /** True if a change needs a replacement. A function decides it from the values. */
  replaces?: true | ((before: unknown, after: unknown) => boolean);
  /** True if an omitted name is generated as `<logical name>-<7 hex>`. */
  autoNamed?: true;
  /** True if a refresh shows drift only in the outputs, since the declared value must stay known. */
  keepsInput?: true;
  /** The allowed values. */
  oneOf?: readonly string[];
  minimum?: number;
  /** Returns further faults of a value of the right kind, to follow the property's name in a message. */
  fault?(value: unknown): string | undefined;
  /** Returns true if two spellings mean the same. */
  same?(left: string, right: string): boolean;
  /** Reason why the input, known to the official plugin, is not supported here. Empty values are accepted. */
  refused?: string;
  /** True if official states omit the output when it is empty. */
  omitted?: true;
  /** Value of an empty output. Official states distinguish null, "", 0 and []. */
  absent?: null | string | number | boolean | readonly string[] | Readonly<Record<string, string>>;
}

export type PropertyTable = Readonly<Record<string, Property>>;

/** Returns true for every value that official states use for "not set". */
export function isEmpty(value: unknown): boolean {
  return (
    value === undefined ||
    value === null ||
    value === "" ||
    value === 0 ||
    value === false ||
    (Array.isArray(value) ? value.length === 0 : typeof value === "object" && isEmptyObject(value))
  );
}

/**
 * Compares two values. Sets are unordered. Null, absent, "", 0, false, [] and {} are the same value, since official
 * refreshes rewrite one as another.
 */
export function sameValue(property: Property, left: unknown, right: unknown): boolean {
  if (property.kind === "object") return sameObject(property.fields ?? {}, asObject(left), asObject(right));
  if (isEmpty(left) || isEmpty(right)) return isEmpty(left) && isEmpty(right);
  if (property.kind === "objects") return sameObjects(property.fields ?? {}, asList(left), asList(right));
  if (property.kind === "map") return sameMap(asObject(left), asObject(right));
  if (Array.isArray(left) && Array.isArray(right)) {
    const [a, b] = property.kind === "set" ? [sorted(left), sorted(right)] : [left, right];
    return a.length === b.length && a.every((item, index) => sameText(property, item, b[index]));
  }
  return sameText(property, left, right);
}

/** Returns true if `after` needs another value than `before`. Values left to the server are never a change. */
export function isChanged(property: Property, before: unknown, after: unknown): boolean {
  if (property.computed && (after === undefined || after === null)) return false;
  return !sameValue(property, effective(property, before), effective(property, after));
}

/** Returns the effective value of a property: the given value, its default, or null. */
export function effective(property: Property, value: unknown): unknown {
  return value === undefined || value === null ? (property.default ?? null) : value;
}

/** Returns a string, or "" if the value is not one. */
export function text(values: Properties, key: string): string {
  const value = values[key];
  return typeof value === "string" ? value : "";
}

/** Returns true if the value is true, and false for any other value. */
export function flag(values: Properties, key: string): boolean {
  return values[key] === true;
}

/** Returns a number, or 0 if the value is not one. */
export function count(values: Properties, key: string): number {
  const value = values[key];
  return typeof value === "number" ? value : 0;
}

/** Returns the strings of a set or list, without duplicates. */
export function strings(values: Properties, key: string): string[] {
  const value = values[key];
  return Array.isArray(value) ? [...new Set(value.filter((item) => typeof item === "string"))] : [];
}

/** Returns the objects of a set of objects. */
export function objects(values: Properties, key: string): Properties[] {
  return asList(values[key]).map(asObject);
}

/** Returns an object, or an empty one if the value is not an object. */
export function object(values: Properties, key: string): Properties {
  return asObject(values[key]);
}

/** Returns the values as sorted strings, without duplicates. */
export function sorted(values: readonly unknown[]): string[] {
  return [...new Set(values.map(String))].sort();
}

function sameText(property: Property, left: unknown, right: unknown): boolean {
  if (left === right) return true;
  return typeof left === "string" && typeof right === "string" && property.same?.(left, right) === true;
}

function sameMap(left: Properties, right: Properties): boolean {
  const keys = Object.keys(left);
  return keys.length === Object.keys(right).length && keys.every((key) => left[key] === right[key]);
}

function sameObject(fields: PropertyTable, left: Properties, right: Properties): boolean {
  return Object.entries(fields).every(([key, field]) => !isChanged(field, left[key], right[key]));
}

/**
 * Compares sets of objects: each right object must match a different left one. Objects with the most values are matched
 * first, since the others leave more to the server.
 */
function sameObjects(fields: PropertyTable, left: readonly unknown[], right: readonly unknown[]): boolean {
  if (left.length !== right.length) return false;
  const free = left.map(asObject);
  const said = (item: Properties) => Object.values(item).filter((value) => !isEmpty(value)).length;
  return right
    .map(asObject)
    .sort((a, b) => said(b) - said(a))
    .every((wanted) => {
      const index = free.findIndex((candidate) => sameObject(fields, candidate, wanted));
      if (index >= 0) free.splice(index, 1);
      return index >= 0;
    });
}

function isEmptyObject(value: object): boolean {
  return Object.keys(value).length === 0;
}

function asObject(value: unknown): Properties {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Properties) : {};
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
