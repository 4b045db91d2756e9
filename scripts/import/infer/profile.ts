import { isDouble, plainDecimal } from "../values/decimal.ts";
import { parseJson } from "../values/json-parser.ts";
import { type EpochUnit, parseTime } from "../values/timestamp.ts";
import { describeValue, InvalidText, JsonNumber, Problem, type Value } from "../values/value.ts";

/** Kind of a value of a source. */
export type ValueKind = "integer" | "real" | "text" | "blob" | "boolean" | "object" | "array";

/** Spellings of times in texts. `date` has no time of day, `clock` has no date, `local` is such as 02/01/2024. */
type TimeKind = "date" | "naive" | "zoned" | "local" | "clock" | "other";

/** Different texts that are kept, to see if they mean true and false. */
const mostDistinct = 8;

/** Units of 1980 to 2100 as numbers. The ranges do not overlap. */
const epochs: readonly [EpochUnit, bigint, bigint][] = [
  ["seconds", 315_532_800n, 4_102_444_800n],
  ["milliseconds", 315_532_800_000n, 4_102_444_800_000n],
  ["microseconds", 315_532_800_000_000n, 4_102_444_800_000_000n],
];

/** Summary of all values of one column. It keeps counts, and of each kind only the first value. */
export class ColumnProfile {
  readonly #checkJson: boolean;
  rows = 0;
  nulls = 0;
  absent = 0;
  readonly counts = new Map<ValueKind, number>();
  /** First value of each kind, for messages: `row 3: text "many"`. */
  readonly first = new Map<ValueKind, string>();
  least: bigint | undefined;
  greatest: bigint | undefined;
  infinite = 0;
  /** Reals without a fraction, which differ from integers in SQLite only. */
  wholeReals = 0;
  /** Numbers of JSON with a fraction or an exponent: they are decimals, and no doubles. */
  decimals = 0;
  /** Those decimals that a double would round. */
  finerThanDouble = 0;
  /** Numbers that have more digits than PostgreSQL's numeric. */
  tooLong = 0;
  /** Most digits before and after the point. */
  digits = { before: 0, after: 0 };
  /** Texts that PostgreSQL cannot store, and the first of them. */
  invalidTexts = 0;
  firstInvalid: string | undefined;
  longestText = 0;
  /** Bytes of the longest text or blob. */
  mostBytes = 0;
  /** The first different texts, as long as there are few. Undefined if there are many. */
  distinct: Set<string> | undefined = new Set();
  uuids = 0;
  booleanTexts = 0;
  /** Texts that a document of MongoDB has as dates. */
  dates = 0;
  jsonTexts = 0;
  readonly times = new Map<TimeKind, number>();
  firstOtherText: string | undefined;
  /** Local dates whose first, or second, number can only be a day. */
  dayFirst = 0;
  daySecond = 0;
  readonly epochs = new Map<EpochUnit | "none", number>();

  /** @param options.checkJson parses each text, to see if it is JSON; else only those that look like it */
  constructor({ checkJson = false } = {}) {
    this.#checkJson = checkJson;
  }

  /** Number of values that are not null. */
  get filled(): number {
    return this.rows - this.nulls - this.absent;
  }

  /** Kinds that occur. */
  get kinds(): ValueKind[] {
    return [...this.counts.keys()];
  }

  /** Returns true if all values are of these kinds, and there is at least one. */
  isOnly(...kinds: ValueKind[]): boolean {
    return this.counts.size > 0 && this.kinds.every((kind) => kinds.includes(kind));
  }

  add(value: Value, row: number): void {
    this.rows++;
    if (value === null) this.nulls++;
    else if (value === undefined) this.absent++;
    else if (typeof value === "bigint") this.#integer(value, row);
    else if (typeof value === "number") this.#real(value, row);
    else if (value instanceof JsonNumber) this.#jsonNumber(value, row);
    else if (typeof value === "string") this.#text(value, row);
    else if (value instanceof InvalidText) {
      this.invalidTexts++;
      this.firstInvalid ??= `row ${row}: ${value.reason} (${value.hex.slice(0, 40)})`;
      this.#count("text", value, row);
    } else if (typeof value === "boolean") this.#count("boolean", value, row);
    else if (value instanceof Uint8Array) {
      this.#count("blob", value, row);
      this.mostBytes = Math.max(this.mostBytes, value.length);
    } else this.#count(Array.isArray(value) ? "array" : "object", value, row);
  }

  #count(kind: ValueKind, value: Value, row: number): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    if (!this.first.has(kind)) this.first.set(kind, `row ${row}: ${describeValue(value)}`);
  }

  #integer(value: bigint, row: number, shown: Value = value): void {
    this.#count("integer", shown, row);
    if (this.least === undefined || value < this.least) this.least = value;
    if (this.greatest === undefined || value > this.greatest) this.greatest = value;
    const unit = epochs.find(([, from, to]) => value >= from && value < to)?.[0] ?? "none";
    this.epochs.set(unit, (this.epochs.get(unit) ?? 0) + 1);
    this.#measure(String(value));
  }

  #real(value: number, row: number): void {
    this.#count("real", value, row);
    if (!Number.isFinite(value)) {
      this.infinite++;
      return;
    }
    if (Number.isInteger(value)) this.wholeReals++;
    this.#measure(String(value));
  }

  #jsonNumber(value: JsonNumber, row: number): void {
    if (/^-?\d{1,40}$/.test(value.text)) this.#integer(BigInt(value.text), row, value);
    else {
      this.decimals++;
      if (!isDouble(value.text, Number(value.text))) this.finerThanDouble++;
      this.#count("real", value, row);
      this.#measure(value.text);
    }
  }

  #measure(text: string): void {
    const plain = plainDecimal(text);
    if (typeof plain !== "string") {
      this.tooLong++;
      return;
    }
    const [before = "", after = ""] = plain.replace("-", "").split(".");
    this.digits.before = Math.max(this.digits.before, before === "0" ? 0 : before.length);
    this.digits.after = Math.max(this.digits.after, after.length);
  }

  #text(value: string, row: number): void {
    this.#count("text", value, row);
    if (value.length > this.longestText) this.longestText = Math.max(this.longestText, charactersIn(value));
    // A character of a string has at most 3 bytes.
    if (value.length * 3 > this.mostBytes) this.mostBytes = Math.max(this.mostBytes, Buffer.byteLength(value));
    if (!value.isWellFormed() || value.includes("\0")) {
      this.invalidTexts++;
      this.firstInvalid ??= `row ${row}: half of a surrogate pair, or a NUL`;
    }
    if (this.distinct !== undefined) {
      this.distinct.add(value.slice(0, 20));
      if (this.distinct.size > mostDistinct) this.distinct = undefined;
    }
    if (value.length === 36 && /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/.test(value)) this.uuids++;
    if (value === "true" || value === "false") this.booleanTexts++;
    if ((this.#checkJson || /^\s*[[{]/.test(value)) && !(parseJson(value) instanceof Problem)) this.jsonTexts++;
    // A column that holds one text that is no time holds no times.
    if (this.firstOtherText !== undefined) return;
    const kind = this.#timeKind(value);
    this.times.set(kind, (this.times.get(kind) ?? 0) + 1);
    if (kind === "other") this.firstOtherText = `row ${row}: ${describeValue(value)}`;
  }

  #timeKind(value: string): TimeKind {
    if (value.length > 40 || !/^\d/.test(value)) return "other";
    if (/^\d\d:\d\d(:\d\d(\.\d{1,6})?)?$/.test(value))
      return parseTime(`2000-01-01 ${value}`, {}) instanceof Problem ? "other" : "clock";
    const [, first, second] = /^(\d\d?)[./-](\d\d?)[./-]\d{4}/.exec(value) ?? [];
    if (first !== undefined && second !== undefined) {
      const order = Number(first) > 12 ? "dmy" : "mdy";
      if (parseTime(value, { order }) instanceof Problem) return "other";
      if (Number(first) > 12) this.dayFirst++;
      if (Number(second) > 12) this.daySecond++;
      return "local";
    }
    const parts = parseTime(value, {});
    if (parts instanceof Problem) return "other";
    if (parts.offset !== undefined) return "zoned";
    return /^\d{4}-\d\d-\d\d$/.test(value) ? "date" : "naive";
  }
}

/** Counts the characters of a text, as PostgreSQL does, without a copy of it. */
function charactersIn(text: string): number {
  let count = text.length;
  for (let at = 0; at < text.length; at++) if ((text.charCodeAt(at) & 0xfc00) === 0xdc00) count--;
  return count;
}
