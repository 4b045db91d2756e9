import type { ColumnPlan } from "./plan.ts";
import { InvalidText, JsonNumber, Problem, type Value } from "./values/value.ts";

/** Converts the value of one column to the text that COPY reads. Null stays null. */
export function convert(column: ColumnPlan, row: unknown): string | null | Problem {
  let value: Value | Problem = column.read(row);
  // What cannot be stored as text is reported with its bytes by the type, not by a step.
  if (!(value instanceof InvalidText))
    for (const step of column.steps) {
      if (value === null || value === undefined || value instanceof Problem) break;
      value = step(value);
    }
  if (value instanceof Problem) return value;
  value ??= column.whenNull;
  if (value === null || value === undefined) {
    if (!column.target.notNull || column.computed) return null;
    return new Problem(`the target requires a value in ${column.target.name}`);
  }
  return column.codec.write(value);
}

/** Longest value, in bytes or characters, that is recorded as a whole. PostgreSQL's jsonb holds 256 MB. */
const mostRecorded = 1 << 24;
/** Part of a longer value that is recorded, in bytes or characters. */
const recordedPart = 1_000;

/** Converts a value of a source to one that JSON can hold, for records of rejected rows. */
export function recordedValue(value: Value): unknown {
  if (value === null || value === undefined) return null;
  if (typeof value === "bigint") return rawNumber(String(value));
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (value instanceof JsonNumber) return rawNumber(value.text);
  if ((value instanceof Uint8Array || typeof value === "string") && value.length > mostRecorded)
    return { begins: recordedValue(value.slice(0, recordedPart)), length: value.length };
  if (value instanceof InvalidText) return { hex: value.hex };
  if (typeof value === "string")
    return value.includes("\0") || !value.isWellFormed() ? { hex: Buffer.from(value).toString("hex") } : value;
  if (value instanceof Uint8Array) return { hex: Buffer.from(value).toString("hex") };
  if (Array.isArray(value)) return value.map(recordedValue);
  return value instanceof Map
    ? Object.fromEntries([...value].map(([name, each]) => [storable(name), recordedValue(each)]))
    : value;
}

function storable(name: string): string {
  return name.replaceAll("\0", "\\0").toWellFormed();
}

/** Keeps all digits of a number in JSON: `JSON.rawJSON` is part of Node 24's engine, and not of its types yet. */
function rawNumber(text: string): unknown {
  // PostgreSQL writes a number of JSON out, and cannot store one that is too long.
  if (text.length > 1_000 || /e[+-]?\d{4}/i.test(text)) return text;
  const { rawJSON } = JSON as unknown as { rawJSON?: (text: string) => unknown };
  return rawJSON === undefined ? text : rawJSON(text);
}
