import type { ColumnMap, Scalar, Transform } from "../map.ts";
import { plainDecimal, shiftDecimal } from "./decimal.ts";
import { parseJson } from "./json-parser.ts";
import type { UuidMaker } from "./key-uuid.ts";
import { describeValue, JsonNumber, Problem, textOf, type Value } from "./value.ts";

/** A step that changes a value before its type is applied. Null passes through. */
export type Step = (value: Exclude<Value, null | undefined>) => Value | Problem;

/** Converts a constant of a map to a value. */
export function scalarValue(value: Scalar | Scalar[]): Value {
  if (Array.isArray(value)) return value.map(scalarValue);
  return typeof value === "number" ? new JsonNumber(String(value)) : value;
}

/** Returns the steps of a column: its transform, then its key. Times are converted by the type itself. */
export function stepsOf(column: Exclude<ColumnMap, string>, makeUuid: UuidMaker): Step[] {
  const steps: Step[] = [];
  if (column.as !== undefined && column.as.kind !== "timestamp") steps.push(stepOf(column.as));
  const kind = column.key;
  if (kind !== undefined) steps.push((value) => makeKey(value, kind, makeUuid));
  return steps;
}

/** Makes the UUID of a natural key. A number and its digits as text are the same key, and a UUID stays one. */
function makeKey(value: Value, kind: string, makeUuid: UuidMaker): Value | Problem {
  const text = textOf(value);
  if (text === undefined || text === "") return new Problem(`${describeValue(value)} cannot be a key`);
  return isUuid(text) ? text.toLowerCase() : makeUuid(`${kind}:${text}`);
}

function isUuid(text: string): boolean {
  return text.length === 36 && /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(text);
}

function stepOf(transform: Exclude<Transform, { kind: "timestamp" }>): Step {
  switch (transform.kind) {
    case "boolean":
      return booleanStep(transform.true, transform.false);
    case "scaled":
      return (value) => scale(value, transform.digits);
    case "values":
      return valuesStep(transform.values);
    case "json":
      return (value) =>
        typeof value === "string" ? parseText(value) : new Problem(`${describeValue(value)} is no text of JSON`);
    case "mixed":
      return mixedJson;
    case "list":
      return (value) => listOf(value, transform.separator);
    case "text":
      return textStep(transform);
  }
}

function booleanStep(truthy: readonly Scalar[], falsy: readonly Scalar[]): Step {
  const [yes, no] = [truthy, falsy].map((values) => new Set(values.map((value) => textOf(scalarValue(value)))));
  return (value) => {
    const text = textOf(value);
    if (yes?.has(text)) return true;
    return no?.has(text) ? false : new Problem(`${describeValue(value)} is none of the values for true and false`);
  };
}

function valuesStep(values: Readonly<Record<string, Scalar>>): Step {
  const known = new Map(Object.entries(values).map(([name, value]) => [name, scalarValue(value)]));
  return (value) => {
    const text = textOf(value);
    if (text !== undefined && known.has(text)) return known.get(text);
    return new Problem(`${describeValue(value)} is none of: ${[...known.keys()].join(", ")}`);
  };
}

function textStep({ trim, case: letters, emptyIsNull }: Extract<Transform, { kind: "text" }>): Step {
  return (value) => {
    const given = textOf(value);
    if (given === undefined) return value;
    let text = trim ? given.trim() : given;
    if (letters !== undefined) text = letters === "lower" ? text.toLowerCase() : text.toUpperCase();
    return emptyIsNull && text === "" ? null : text;
  };
}

function scale(value: Value, digits: number): Value | Problem {
  const text = textOf(value);
  const plain = text === undefined ? undefined : plainDecimal(text);
  if (typeof plain !== "string") return plain ?? new Problem(`${describeValue(value)} is no number`);
  return new JsonNumber(shiftDecimal(plain, digits));
}

/** Writes a value so that its kind can be told from the JSON. */
function mixedJson(value: Exclude<Value, null | undefined>): Value {
  if (value instanceof Uint8Array) {
    const base64 = Buffer.from(value).toString("base64");
    return new Map([
      [
        "$binary",
        new Map([
          ["base64", base64],
          ["subType", "00"],
        ]),
      ],
    ]);
  }
  if (typeof value !== "number") return value;
  if (!Number.isFinite(value)) return new Map([["$numberDouble", String(value)]]);
  const plain = plainDecimal(String(value)) as string;
  // A real without a fraction would otherwise be an integer.
  return new JsonNumber(plain.includes(".") ? plain : `${plain}.0`);
}

function listOf(value: Value, separator: string | undefined): Value | Problem {
  if (Array.isArray(value)) return value;
  if (typeof value !== "string") return new Problem(`${describeValue(value)} is no list`);
  if (separator !== undefined) return value === "" ? [] : value.split(separator);
  const parsed = parseText(value);
  return parsed instanceof Problem || Array.isArray(parsed)
    ? parsed
    : new Problem(`${describeValue(value)} is no array of JSON`);
}

/** Parses a text that contains JSON. */
export function parseText(text: string): Value | Problem {
  const parsed = parseJson(text);
  return parsed instanceof Problem ? new Problem(`it is not valid JSON: ${parsed.reason}`) : parsed;
}
