import { plainDecimal } from "./decimal.ts";
import { shorten } from "./shown.ts";
import { InvalidText, JsonNumber, Problem, type Value } from "./value.ts";

/** Returns a problem if PostgreSQL cannot store a text; undefined if it can. */
export function textProblem(text: string): Problem | undefined {
  if (text.includes("\0")) return new Problem(`it contains a NUL character at position ${text.indexOf("\0")}`);
  // A lone surrogate has no UTF-8 form: it would silently become U+FFFD.
  return text.isWellFormed() ? undefined : new Problem("it contains half of a surrogate pair, which has no UTF-8 form");
}

/**
 * Writes a value as PostgreSQL prints a jsonb: keys sorted by length and then by bytes, numbers without exponent, a
 * space after commas and colons.
 */
export function jsonbText(value: Value): string | Problem {
  try {
    return write(value);
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
}

function write(value: Value): string {
  if (value === null || value === undefined) return "null";
  if (typeof value === "boolean") return String(value);
  if (typeof value === "string") return quote(value);
  if (typeof value === "bigint") return String(value);
  if (value instanceof JsonNumber || typeof value === "number") {
    const plain = plainDecimal(value instanceof JsonNumber ? value.text : String(value));
    if (typeof plain === "string") return plain;
    throw plain ?? new Problem(`${value} is not a number that JSON can hold`);
  }
  if (Array.isArray(value)) return `[${value.map(write).join(", ")}]`;
  if (value instanceof Map) {
    const members = [...value].map(([name, member]) => ({ name, bytes: Buffer.from(name), member }));
    members.sort((a, b) => a.bytes.length - b.bytes.length || Buffer.compare(a.bytes, b.bytes));
    return `{${members.map(({ name, member }) => `${quote(name)}: ${write(member)}`).join(", ")}}`;
  }
  if (value instanceof InvalidText) throw new Problem(`${value.reason}: bytes ${shorten(value.hex, 120)}`);
  throw new Problem("it contains bytes that are not text");
}

function quote(text: string): string {
  const problem = textProblem(text);
  if (problem !== undefined) throw problem;
  return JSON.stringify(text);
}
