import { JsonNumber, textOf, type Value } from "./value.ts";

/*
 * MongoDB Extended JSON, version 2 and the older forms of mongoexport: objects with one member, such as
 * {"$oid": "…"}, that stand for a value which JSON does not have. Columns of type json and jsonb keep the objects.
 */

type Wrapped = (inner: Value, outer: Map<string, Value>) => Value;

const text: Wrapped = (inner) => (typeof inner === "string" ? inner : undefined);

/** Values by the name of the first member. `undefined` means that it is an ordinary object. */
const wrappers: Readonly<Record<string, Wrapped>> = {
  $oid: text,
  $uuid: text,
  $symbol: text,
  $numberInt: numberOf,
  $numberLong: numberOf,
  $numberDouble: numberOf,
  $numberDecimal: numberOf,
  $date: dateOf,
  $binary: (inner, outer) =>
    inner instanceof Map
      ? bytesOf(inner.get("base64"), inner.get("subType"))
      : bytesOf(inner, outer.get("$type"), outer.size),
};

/** Returns the value that an object stands for, also within arrays; an ordinary object stays what it is. */
export function plainValue(value: Value): Value {
  if (Array.isArray(value)) return value.some((each) => typeof each === "object") ? value.map(plainValue) : value;
  if (!(value instanceof Map) || value.size === 0 || value.size > 2) return value;
  const [[name, inner] = ["", undefined]] = value;
  const wrapped = value.size === 1 || name === "$binary" ? wrappers[name] : undefined;
  return wrapped?.(inner, value) ?? value;
}

/** Returns true if a value is a date of Extended JSON. */
export function isExtendedDate(value: Value): boolean {
  return value instanceof Map && value.size === 1 && value.has("$date");
}

/** Wraps a value as another one is wrapped; returns it as it is if the other one is not. */
export function wrappedLike(sample: Value, value: Value): Value {
  if (!(sample instanceof Map) || sample.size !== 1 || value === null || value === undefined) return value;
  const [[name, inner] = ["", undefined]] = sample;
  const own = textOf(value);
  if (wrappers[name] === undefined || name === "$binary" || own === undefined) return value;
  if (name !== "$date" || typeof inner === "string") return new Map([[name, own]]);
  const at = Date.parse(own);
  if (Number.isNaN(at)) return value;
  return new Map([[name, inner instanceof Map ? new Map([["$numberLong", String(at)]]) : new JsonNumber(String(at))]]);
}

function numberOf(inner: Value): Value {
  if (inner instanceof JsonNumber) return inner;
  if (typeof inner !== "string") return undefined;
  if (/^(NaN|[+-]?Infinity)$/.test(inner)) return Number(inner);
  return /^[+-]?(\d+\.?\d*|\.\d+)(E[+-]?\d+)?$/i.test(inner) ? new JsonNumber(inner.replace(/^\+/, "")) : undefined;
}

/** ISO text, or milliseconds in canonical and older forms. */
function dateOf(inner: Value): Value {
  if (typeof inner === "string") return inner;
  const milliseconds = Number(textOf(plainValue(inner)) ?? Number.NaN);
  const date = new Date(milliseconds);
  return Number.isNaN(date.getTime()) || !Number.isInteger(milliseconds) ? undefined : date.toISOString();
}

function bytesOf(base64: Value, subType: Value, members = 2): Value {
  if (typeof base64 !== "string" || typeof subType !== "string" || members !== 2) return undefined;
  const bytes = Buffer.from(base64, "base64");
  // Buffer skips what is no base64.
  if (bytes.toString("base64").replace(/=+$/, "") !== base64.replace(/=+$/, "")) return undefined;
  if (Number.parseInt(subType, 16) !== 4 || bytes.length !== 16) return bytes;
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
