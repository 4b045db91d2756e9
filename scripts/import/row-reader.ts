import type { TableMap } from "./map.ts";
import type { Field } from "./source/source.ts";
import { parseText } from "./values/transform.ts";
import { Problem, type Value } from "./values/value.ts";

/** Reads what an entry needs from a row of its collection. */
export interface RowReader {
  /** Returns the rows that one row of the source becomes: itself, or the elements of an array in it. */
  expand(row: unknown): unknown[] | Problem;
  /** Returns the reader of a field of what {@link expand} gives; undefined if there is no such field. */
  field(path: string): Field | undefined;
}

/** An element of an array in a row. */
interface Element {
  parent: unknown;
  /** From 1. */
  index: number;
  value: Value;
}

interface Fields {
  names: readonly string[] | "any";
  read: (name: string) => Field | undefined;
}

/** Returns the reader of an entry, or why there is none. */
export function rowReader(entry: TableMap, fields: Fields): RowReader | Problem {
  const ofRow = (path: string) => pathReader(path, fields);
  if (entry.each === undefined) return { expand: (row) => [row], field: ofRow };
  const array = ofRow(entry.each);
  if (array === undefined) return new Problem(`each: ${entry.from} has no field "${entry.each}"`);
  return {
    expand: (row) => elementsOf(row, array(row), entry.each ?? ""),
    field: (path) => {
      if (path === "$index") return (element) => BigInt((element as Element).index);
      if (path === "$value") return (element) => (element as Element).value;
      if (path.startsWith("$parent.")) {
        const read = ofRow(path.slice("$parent.".length));
        return read && ((element) => read((element as Element).parent));
      }
      return path === "" ? undefined : (element) => member((element as Element).value, path.split("."));
    },
  };
}

/** Reads a column or member, and a path within it. A text that holds JSON is parsed for a path. */
function pathReader(path: string, { names, read }: Fields): Field | undefined {
  if (path === "") return undefined;
  const whole = read(path);
  if (whole !== undefined && names !== "any") return whole;
  const [first = "", ...rest] = path.split(".");
  const outer = read(first);
  if (outer === undefined || rest.length === 0) return outer;
  return (row) => {
    const value = outer(row);
    const parsed = typeof value === "string" ? parseText(value) : value;
    return parsed instanceof Problem ? undefined : member(parsed, rest);
  };
}

function member(value: Value, path: readonly string[]): Value {
  let inner = value;
  for (const name of path) inner = inner instanceof Map ? inner.get(name) : undefined;
  return inner;
}

function elementsOf(row: unknown, value: Value, path: string): Element[] | Problem {
  if (value === null || value === undefined) return [];
  const parsed = typeof value === "string" ? parseText(value) : value;
  if (parsed instanceof Problem) return new Problem(`${path}: ${parsed.reason}`);
  if (parsed instanceof Map) {
    // An object whose members are rows: the name is the field $name of each.
    return [...parsed].map(([name, each], index) => ({ parent: row, index: index + 1, value: named(name, each) }));
  }
  if (!Array.isArray(parsed)) return new Problem(`${path} is no array`);
  return parsed.map((each, index) => ({ parent: row, index: index + 1, value: each }));
}

function named(name: string, value: Value): Value {
  return value instanceof Map ? new Map([["$name", name], ...value]) : value;
}
