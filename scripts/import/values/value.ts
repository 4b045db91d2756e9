import { quoted, shorten } from "./shown.ts";

/** A number of a JSON document, with its text: a double would change 9007199254740993 and 1.10. */
export class JsonNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** A text that PostgreSQL cannot store: invalid UTF-8, or a NUL. */
export class InvalidText {
  readonly reason: string;
  /** Bytes of the source in hex. */
  readonly hex: string;

  constructor(reason: string, bytes: Uint8Array) {
    this.reason = reason;
    this.hex = Buffer.from(bytes).toString("hex");
  }
}

/** Object of a JSON document. A Map keeps the order of keys that look like numbers, too. */
export type JsonObject = Map<string, Value>;

/**
 * A value of a source. An integer of SQLite is a bigint and a REAL is a number, so that 4 and 4.0 differ. `undefined`
 * means that the field is absent.
 */
export type Value =
  | null
  | undefined
  | bigint
  | number
  | string
  | boolean
  | Uint8Array
  | JsonNumber
  | InvalidText
  | Value[]
  | JsonObject;

/** Reason why a value cannot be imported as it is. */
export class Problem {
  readonly reason: string;
  /** True if the map has to decide what the value means. It stops the run, whatever the policy for rejected rows is. */
  readonly ambiguous: boolean;

  constructor(reason: string, ambiguous = false) {
    // PostgreSQL stores neither in the record of rejected rows.
    this.reason = reason.replaceAll("\0", "\\0").toWellFormed();
    this.ambiguous = ambiguous;
  }
}

/** Returns the text of a value that is a text, a number or a boolean. */
export function textOf(value: Value): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value === "bigint" || typeof value === "boolean" || typeof value === "number") return String(value);
  return value instanceof JsonNumber ? value.text : undefined;
}

/** Returns true for the error of a text that is longer than the engine allows. */
export function isTooLong(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return ("code" in error && error.code === "ERR_STRING_TOO_LONG") || error.message === "Invalid string length";
}

/** Describes a value and its kind for messages: `text "many"`. */
export function describeValue(value: Value): string {
  if (value === undefined) return "an absent field";
  if (value === null) return "NULL";
  if (typeof value === "string") return `text ${quoted(value)}`;
  if (typeof value === "bigint") return `integer ${shorten(String(value))}`;
  if (typeof value === "number") return `real ${value}`;
  if (typeof value === "boolean") return `boolean ${value}`;
  if (value instanceof JsonNumber) return `number ${shorten(value.text)}`;
  if (value instanceof InvalidText) return `text with bytes ${shorten(value.hex)}`;
  if (value instanceof Uint8Array) return `blob ${shorten(Buffer.from(value.subarray(0, 60)).toString("hex"))}`;
  return Array.isArray(value) ? `an array of ${value.length}` : `an object of ${value.size} fields`;
}
