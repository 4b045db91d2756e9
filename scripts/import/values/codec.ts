import { constants } from "node:buffer";
import type { TargetType } from "../target/target-table.ts";
import { fitDecimal, isDouble, plainDecimal } from "./decimal.ts";
import { jsonbText, textProblem } from "./json-text.ts";
import { shorten } from "./shown.ts";
import { formatMicros, microsOfNumber, microsOfText, parseTime, type TimestampFormat } from "./timestamp.ts";
import { describeValue, InvalidText, JsonNumber, Problem, type Value } from "./value.ts";

/*
 * The canonical text of each type, which both sides of a comparison hash:
 *
 *   int2, int4, int8       digits, with `-`
 *   numeric                as PostgreSQL prints it: numeric(p,s) with s fraction digits
 *   float4, float8         the bytes of the IEEE number in hex (float8send)
 *   bool                   true, false
 *   text, varchar          the text; char(n) without the spaces at its end
 *   date, time, timestamp  ISO 8601 as PostgreSQL prints it, fraction without zeros at its end
 *   timestamptz            the same in UTC, with +00
 *   jsonb                  as PostgreSQL prints it; json: the text as it was written
 *   bytea                  \x and hex digits
 *   jsonb by `mixed`       the kind and the value that the JSON stands for
 *   arrays, other types    as PostgreSQL prints them; a value that is spelled otherwise is rejected
 */

/** Checks and writes the values of one type. */
export interface Codec {
  /** Converts a value, never null, to the text that COPY reads. */
  write(value: Exclude<Value, null | undefined>): string | Problem;
  /** Converts a text of {@link write} to the canonical text. Undefined if it is the same. */
  canonical?: (text: string) => string;
  /** Canonical text of the source's value itself, before its transform. Undefined if the written text is compared. */
  expected?: (value: Value) => string;
  /** SQL of the canonical text of an expression. */
  sql(expression: string): string;
  /** True if sums of the column are compared. */
  isNumber: boolean;
}

/** Counts values that changed their form on the way, for the report. */
export interface Notes {
  count(note: string): void;
}

const asText = (expression: string) => `${expression}::text`;

/** SQL of a value as the server prints it. A cast can differ: inet's adds /32. */
export function printed(expression: string): string {
  return `case when ${expression} is not null then format('%s', ${expression}) end`;
}

/** A type, as far as its values depend on it. */
type CodecType = Omit<TargetType, "stored">;

/** Returns the codec of a type. */
export function codecFor(type: CodecType, format: TimestampFormat, notes: Notes): Codec {
  const plain = { sql: asText, isNumber: false };
  switch (type.base) {
    case "int2":
      return integer(32_767n, type.name);
    case "int4":
      return integer(2_147_483_647n, type.name);
    case "int8":
      return integer(9_223_372_036_854_775_807n, type.name);
    case "oid":
      return { ...integer(4_294_967_295n, type.name, 0n), isNumber: false };
    case "numeric":
      return { ...plain, isNumber: true, write: (value) => writeNumeric(value, type, notes) };
    case "float8":
    case "float4":
      return float(type.base, notes);
    case "bool":
      return { ...plain, write: writeBoolean };
    case "text":
    case "varchar":
      return { ...plain, write: (value) => writeText(value, type) };
    case "bpchar":
      return { ...plain, write: (value) => writePadded(value, type) };
    case "uuid":
      return { ...plain, write: writeUuid };
    case "date":
      return { ...plain, write: (value) => writeDate(value, format) };
    case "time":
      return { ...plain, write: writeTime };
    case "timestamp":
      return { ...plain, write: (value) => writeMoment(value, format, notes, "") };
    case "timestamptz":
      return { ...plain, write: (value) => writeMoment(value, format, notes, "+00") };
    case "jsonb":
      return { ...plain, write: jsonbText };
    case "json":
      return {
        ...plain,
        write: (value) => (typeof value === "string" ? (textProblem(value) ?? value) : jsonbText(value)),
      };
    case "bytea":
      return { sql: (expression) => `'\\x' || encode(${expression}, 'hex')`, isNumber: false, write: writeBytes };
    case "array":
      return array(type.element ?? "text", format, notes);
    default:
      return { isNumber: false, sql: printed, write: (value) => writeText(value, { name: type.name, base: "text" }) };
  }
}

function unfit(value: Value, type: string): Problem {
  if (value instanceof InvalidText) return new Problem(`${value.reason}: bytes ${shorten(value.hex, 120)}`);
  return new Problem(`${describeValue(value)} is not of type ${type}`);
}

function integer(limit: bigint, name: string, least = -limit - 1n): Codec {
  const write = (value: Value) => {
    if (typeof value !== "bigint") return integerFrom(value);
    return value <= limit && value >= least ? String(value) : tooLarge(value);
  };
  const tooLarge = (value: unknown) => new Problem(`${shorten(String(value))} is out of range for ${name}`);
  const integerFrom = (value: Value): string | Problem => {
    if (!(value instanceof JsonNumber) && typeof value !== "number") return unfit(value, name);
    const plain = plainDecimal(value instanceof JsonNumber ? value.text : String(value));
    const digits = typeof plain === "string" ? /^(-?\d+)(?:\.0*)?$/.exec(plain)?.[1] : undefined;
    return digits === undefined ? unfit(value, name) : write(BigInt(digits));
  };
  return { write, sql: asText, isNumber: true };
}

function writeNumeric(value: Value, { name, precision, scale }: CodecType, notes: Notes): string | Problem {
  let text: string;
  if (typeof value === "bigint") text = String(value);
  else if (value instanceof JsonNumber) text = value.text;
  else if (typeof value === "number") {
    if (!Number.isFinite(value)) {
      const holds = precision === undefined || Number.isNaN(value);
      return holds ? String(value) : new Problem(`${value} is out of range for ${name}`);
    }
    if (!Number.isInteger(value)) notes.count("REAL values were taken as their shortest decimal form");
    text = String(value);
  } else if (typeof value === "string" && /^\s*[+-]?[\d.]/.test(value)) text = value.trim();
  else return unfit(value, name);
  const plain = plainDecimal(text);
  if (plain === undefined) return unfit(value, name);
  if (plain instanceof Problem || precision === undefined || scale === undefined) return plain;
  return fitDecimal(plain, precision, scale);
}

function float(base: "float4" | "float8", notes: Notes): Codec {
  const bytes = new DataView(new ArrayBuffer(8));
  const write = (value: Value): string | Problem => {
    let number: number;
    if (typeof value === "number") number = value;
    else if (typeof value === "bigint") number = Number(value);
    else if (value instanceof JsonNumber) number = Number(value.text);
    else return unfit(value, base);
    if (typeof value === "bigint" && BigInt(number) !== value)
      return new Problem(`${shorten(String(value))} has no exact ${base} form`);
    if (value instanceof JsonNumber && !Number.isFinite(number))
      return new Problem(`${shorten(value.text)} is out of range for ${base}`);
    if (value instanceof JsonNumber && !isDouble(value.text, number))
      return new Problem(`${shorten(value.text)} has no exact ${base} form; a numeric column holds it`);
    if (base === "float4" && Math.fround(number) !== number) return new Problem(`${number} has no exact float4 form`);
    if (!Number.isFinite(number)) notes.count("infinite values");
    return Object.is(number, -0) ? "-0" : String(number);
  };
  const canonical = (text: string) => {
    if (base === "float8") bytes.setFloat64(0, Number(text));
    else bytes.setFloat32(0, Number(text));
    return Buffer.from(bytes.buffer, 0, base === "float8" ? 8 : 4).toString("hex");
  };
  return { write, canonical, sql: (expression) => `encode(${base}send(${expression}), 'hex')`, isNumber: false };
}

function writeBoolean(value: Value): string | Problem {
  if (typeof value === "boolean") return String(value);
  if (value === 0n) return "false";
  if (value === 1n) return "true";
  // "yes", "on" and 2 can mean something else: the map says what they mean.
  if (typeof value === "string" && /^(true|false)$/i.test(value)) return value.toLowerCase();
  return unfit(value, "boolean");
}

function writeText(value: Value, { name, length }: CodecType): string | Problem {
  if (typeof value !== "string") {
    // A number is a number: 1.10 and "1.10" stay apart. The map can say otherwise with `values`.
    return unfit(value, name);
  }
  const problem = textProblem(value);
  if (problem !== undefined) return problem;
  if (length !== undefined && value.length > length && [...value].length > length)
    return new Problem(`text of ${[...value].length} characters is too long for ${name}`);
  return value;
}

function writePadded(value: Value, type: CodecType): string | Problem {
  if (typeof value === "string" && value.endsWith(" "))
    return new Problem(`${type.name} would lose the spaces at the end of ${describeValue(value)}`);
  return writeText(value, type);
}

function writeUuid(value: Value): string | Problem {
  const valid = typeof value === "string" && /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(value);
  return valid ? (value as string).toLowerCase() : unfit(value, "uuid");
}

/** Returns the text of a number as a plain decimal; undefined if the value is no number. */
function numberText(value: Value): string | undefined {
  if (typeof value === "bigint") return String(value);
  const text = value instanceof JsonNumber ? value.text : typeof value === "number" ? String(value) : undefined;
  const plain = text === undefined ? undefined : plainDecimal(text);
  return typeof plain === "string" ? plain : undefined;
}

function writeMoment(value: Value, format: TimestampFormat, notes: Notes, suffix: string): string | Problem {
  const number = numberText(value);
  let micros: bigint | Problem;
  if (number !== undefined) micros = microsOfNumber(number, format);
  else if (typeof value === "string" && /^\d{9,17}$/.test(value.trim())) micros = microsOfNumber(value.trim(), format);
  else if (typeof value === "string") {
    micros = microsOfText(value, format);
    if (suffix !== "" && typeof micros === "bigint" && !/(Z|UTC|GMT|[+-]\d\d(:?\d\d)?)\s*$/i.test(value.slice(10)))
      notes.count(`times without an offset were read in ${format.zone ?? "UTC"}`);
  } else return unfit(value, "timestamp");
  if (micros instanceof Problem) return micros;
  const text = formatMicros(micros);
  return typeof text === "string" ? text + suffix : text;
}

function writeDate(value: Value, format: TimestampFormat): string | Problem {
  const moment = writeMoment(value, format, { count: () => {} }, "");
  if (moment instanceof Problem) return moment;
  if (moment.slice(11) === "00:00:00") return moment.slice(0, 10);
  return new Problem(`${describeValue(value)} has a time of day, which a date would lose`);
}

function writeTime(value: Value): string | Problem {
  if (typeof value !== "string") return unfit(value, "time");
  const parts = parseTime(`2000-01-01 ${value.trim()}`, {});
  if (parts instanceof Problem || parts.offset !== undefined) return unfit(value, "time");
  const text = formatMicros(microsOfText(`2000-01-01 ${value.trim()}`, {}) as bigint) as string;
  return text.slice(11);
}

/** Largest value in bytes whose hex digits fit into one text. */
const mostBytes = (constants.MAX_STRING_LENGTH - 2) >> 1;

function writeBytes(value: Value): string | Problem {
  if (!(value instanceof Uint8Array)) return unfit(value, "bytea");
  if (value.byteLength > mostBytes)
    return new Problem(`a blob of ${value.byteLength} bytes is larger than the import can write (${mostBytes})`);
  return `\\x${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("hex")}`;
}

function array(element: string, format: TimestampFormat, notes: Notes): Codec {
  const codec = codecFor({ name: element, base: element }, format, notes);
  const bare = /^(int[248]|bool|numeric)$/.test(element);
  const write = (value: Value): string | Problem => {
    if (!Array.isArray(value)) return unfit(value, `${element}[]`);
    const parts: string[] = [];
    for (const [index, each] of value.entries()) {
      if (each === null || each === undefined) {
        parts.push("NULL");
        continue;
      }
      const text = codec.write(each);
      if (text instanceof Problem) return new Problem(`element ${index + 1}: ${text.reason}`, text.ambiguous);
      if (element === "bool") parts.push(text.slice(0, 1));
      else parts.push(bare ? text : `"${text.replaceAll(/["\\]/g, "\\$&")}"`);
    }
    return `{${parts.join(",")}}`;
  };
  return { write, sql: asText, canonical: arrayText, isNumber: false };
}

/** Converts an array as {@link array} writes it to the form that PostgreSQL prints, which quotes only if it must. */
function arrayText(text: string): string {
  return text.replaceAll(/"((?:[^"\\]|\\.)*)"/g, (quoted, inner: string) =>
    inner === "" || /^null$/i.test(inner) || /[ \t\n\r\v\f{},"\\]/.test(inner) ? quoted : inner,
  );
}
