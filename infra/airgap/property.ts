import type { Properties } from "../plugin/values.ts";

/**
 * A `set` has no order, a `list` has; both hold strings. A `map` holds strings by name. An `object` has fields of its own, and `objects` are a set of
 * such.
 */
export type PropertyKind = "string" | "number" | "boolean" | "set" | "list" | "map" | "object" | "objects";

/** One input of a resource type, with what the official plugin's schema says of it. */
export interface Property {
  kind: PropertyKind;
  /** What an `object`, or each of `objects`, holds. */
  fields?: PropertyTable;
  required?: true;
  /** Filled in where the program leaves it out, and listed in `__defaults`. */
  default?: string | number | boolean;
  /** Where the program leaves it out, whatever the server has is right. */
  computed?: true;
  /** A change cannot be made in place; a function tells it from the values. */
  replaces?: true | ((before: unknown, after: unknown) => boolean);
  /** Where the program leaves it out: `<logical name>-<7 hex>`. */
  autoNamed?: true;
  /** A refresh shows its drift in the outputs only: what was declared must stay known. */
  keepsInput?: true;
  /** The only values there are. */
  oneOf?: readonly string[];
  minimum?: number;
  /** What else can be wrong with a value of the right kind, to stand behind the property's name. */
  fault?(value: unknown): string | undefined;
  /** Whether two spellings mean the same. */
  same?(left: string, right: string): boolean;
  /** Known to the official plugin and not supported here: the reason. Empty values pass. */
  refused?: string;
  /** Official states leave the output out where there is nothing. */
  omitted?: true;
  /** What an output holds where there is nothing; the recorded states tell null from "", 0 and []. */
  absent?: null | string | number | boolean | readonly string[] | Readonly<Record<string, string>>;
}

export type PropertyTable = Readonly<Record<string, Property>>;

/** True for everything that official states use for "not set". */
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

/** Sets without order; null, absent, "", 0, false, [] and {} are one value, as official refreshes rewrite one into another. */
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

/** Whether `after` asks for another value than `before` is; what it leaves to the server is no question. */
export function isChanged(property: Property, before: unknown, after: unknown): boolean {
  if (property.computed && (after === undefined || after === null)) return false;
  return !sameValue(property, effective(property, before), effective(property, after));
}

/** What a property amounts to: the given value, else its default, else nothing (null). */
export function effective(property: Property, value: unknown): unknown {
  return value === undefined || value === null ? (property.default ?? null) : value;
}

export function text(values: Properties, key: string): string {
  const value = values[key];
  return typeof value === "string" ? value : "";
}

export function flag(values: Properties, key: string): boolean {
  return values[key] === true;
}

export function count(values: Properties, key: string): number {
  const value = values[key];
  return typeof value === "number" ? value : 0;
}

/** The strings of a set or list, sets without repetition. */
export function strings(values: Properties, key: string): string[] {
  const value = values[key];
  return Array.isArray(value) ? [...new Set(value.filter((item) => typeof item === "string"))] : [];
}

/** The objects of a set of such. */
export function objects(values: Properties, key: string): Properties[] {
  return asList(values[key]).map(asObject);
}

export function object(values: Properties, key: string): Properties {
  return asObject(values[key]);
}

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

/** Each of the right ones finds a left one of its own; those that say most choose first, since the others leave more to the server. */
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
