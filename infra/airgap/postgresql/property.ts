import type { Properties } from "../../plugin/values.ts";

/** A `set` has no order, a `list` has; both hold strings. */
export type PropertyKind = "string" | "number" | "boolean" | "set" | "list";

/** One input of a resource type, with what the official plugin's schema says of it. */
export interface Property {
  kind: PropertyKind;
  required?: true;
  /** Filled in where the program leaves it out, and listed in `__defaults`. */
  default?: string | number | boolean;
  /** Where the program leaves it out, whatever the server has is right. */
  computed?: true;
  /** A change cannot be made in place. */
  replaces?: true;
  /** Where the program leaves it out: `<logical name>-<7 hex>`. */
  autoNamed?: true;
  /** The only values there are. */
  oneOf?: readonly string[];
  minimum?: number;
  /** Known to the official plugin and not supported here: the reason. Empty values pass. */
  refused?: string;
  /** What an output holds where there is nothing; the recorded states tell null from "", 0 and []. */
  absent?: null | string | number | boolean | readonly string[];
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
    (Array.isArray(value) && value.length === 0)
  );
}

/** Sets without order; null, absent, "", 0, false and [] are one value, as official refreshes rewrite one into another. */
export function sameValue(kind: PropertyKind, left: unknown, right: unknown): boolean {
  if (isEmpty(left) || isEmpty(right)) return isEmpty(left) && isEmpty(right);
  if (Array.isArray(left) && Array.isArray(right)) {
    const [a, b] = kind === "set" ? [sorted(left), sorted(right)] : [left, right];
    return a.length === b.length && a.every((item, index) => item === b[index]);
  }
  return left === right;
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

export function sorted(values: readonly unknown[]): string[] {
  return [...new Set(values.map(String))].sort();
}
