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
  // `orders[].lines`: the arrays within arrays, from the outside.
  const [outermost = "", ...inner] = entry.each.split("[].");
  const array = ofRow(outermost);
  if (array === undefined) return new Problem(`each: ${entry.from} has no field "${outermost}"`);
  return {
    expand: (row) => {
      let elements = elementsOf(row, array(row), outermost);
      for (const path of inner) elements = elements instanceof Problem ? elements : innerElements(elements, path);
      return elements;
    },
    field: (path) => {
      const ups = /^(?:\$parent\.)*/.exec(path)?.[0].length ?? 0;
      const levels = ups / "$parent.".length;
      const rest = path.slice(ups);
      const upwards = (element: unknown) => {
        let found = element;
        for (let level = 0; level < levels; level++) found = (found as Element).parent;
        return found;
      };
      if ((rest === "" && levels > 0) || levels > inner.length + 1) return undefined;
      const read = levels === inner.length + 1 ? ofRow(rest) : elementField(rest);
      return read && ((element) => read(upwards(element)));
    },
  };
}

function elementField(path: string): Field {
  if (path === "$index") return (element) => BigInt((element as Element).index);
  if (path === "$value") return (element) => (element as Element).value;
  const names = path.split(".");
  return (element) => member((element as Element).value, names);
}

function innerElements(outer: readonly Element[], path: string): Element[] | Problem {
  const all: Element[] = [];
  for (const element of outer) {
    const found = elementsOf(element, member(element.value, path.split(".")), path);
    if (found instanceof Problem) return found;
    all.push(...found);
  }
  return all;
}

/** Reads a column or member, and a path within it. A text that holds JSON is parsed for a path. */
function pathReader(path: string, { names, read }: Fields): Field | undefined {
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
