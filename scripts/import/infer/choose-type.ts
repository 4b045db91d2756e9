import type { Transform } from "../map.ts";
import type { EpochUnit } from "../values/timestamp.ts";
import type { ColumnProfile } from "./profile.ts";

/** Group of types that can be compared with each other. */
export type Family =
  | "integer"
  | "numeric"
  | "double"
  | "text"
  | "boolean"
  | "bytea"
  | "json"
  | "jsonb"
  | "uuid"
  | "date"
  | "time"
  | "timestamp"
  | "timestamptz";

/** Type of a column to create. */
export interface ChosenType {
  family: Family;
  /** As in CREATE TABLE: `numeric(10,2)`. */
  sql: string;
  as?: Transform;
  /** Sentences about what the values do not say, or what becomes different. */
  unsure: string[];
}

const chosen = (family: Family, sql: string = family, unsure: string[] = [], as?: Transform): ChosenType =>
  as === undefined ? { family, sql, unsure } : { family, sql, unsure, as };

const bigint = (unsure: string[] = []) => chosen("integer", "bigint", unsure);
const double = (unsure: string[] = []) => chosen("double", "double precision", unsure);
const greatestInt8 = 9_223_372_036_854_775_807n;

/**
 * Chooses a type that holds all values of a column exactly. The declared type decides between those that do.
 *
 * @param declared type as the source declares it; empty if it declares none
 * @param isKey true if the column is part of a key, so that values that differ have to stay different
 */
export function chooseType(profile: ColumnProfile, declared: string, isKey: boolean): ChosenType {
  const type = declared.toUpperCase();
  const found = profile.filled === 0 ? ofDeclaration(type) : ofValues(profile, type, isKey);
  if (profile.invalidTexts > 0)
    found.unsure.push(
      `${profile.invalidTexts} texts cannot be stored, and their rows will be rejected (${profile.firstInvalid})`,
    );
  return found;
}

const isTime = (type: string) => /DATE|TIMESTAMP/.test(type);

/** Type of a column without values. */
function ofDeclaration(type: string): ChosenType {
  const noValues = "it has no values: the type is only what was declared";
  if (/BOOL/.test(type)) return chosen("boolean");
  if (/DATETIME|TIMESTAMP/.test(type)) return chosen("timestamp", "timestamp", [noValues]);
  if (/DATE/.test(type)) return chosen("date", "date", [noValues]);
  if (/^TIME/.test(type)) return chosen("time", "time", [noValues]);
  if (/INT/.test(type)) return bigint();
  if (/CHAR|CLOB|TEXT/.test(type)) return textOf(type, 0);
  if (/JSON/.test(type)) return chosen("json");
  if (/UUID|GUID/.test(type)) return chosen("uuid");
  if (/BLOB|BINARY|BYTEA/.test(type)) return chosen("bytea");
  if (/REAL|FLOA|DOUB/.test(type)) return double();
  if (/DEC|NUM|MONEY|CURRENCY/.test(type)) return numericOf(type, undefined);
  return chosen("text", "text", ["it has neither a type nor values: text is a guess"]);
}

function ofValues(profile: ColumnProfile, type: string, isKey: boolean): ChosenType {
  if (profile.isOnly("boolean")) return chosen("boolean");
  if (profile.isOnly("blob")) return chosen("bytea");
  if (profile.isOnly("object", "array")) return chosen("jsonb");
  const time = isKey ? undefined : timeOf(profile, type);
  if (time !== undefined) return time;
  const kept = keptTime(profile, type);
  if (profile.isOnly("integer")) return ofIntegers(profile, type, kept);
  if (profile.isOnly("integer", "real")) return ofNumbers(profile, type, isKey);
  if (profile.isOnly("text")) return ofTexts(profile, type, isKey, kept);
  return mixed(profile);
}

function ofIntegers(profile: ColumnProfile, type: string, kept: string[]): ChosenType {
  const [least, greatest] = [profile.least ?? 0n, profile.greatest ?? 0n];
  if (/BOOL/.test(type)) {
    if (least >= 0n && greatest <= 1n) return chosen("boolean");
    return bigint([`it is declared ${type} and has values from ${least} to ${greatest}`]);
  }
  if (greatest > greatestInt8 || least < -greatestInt8 - 1n) return chosen("numeric");
  return /DEC|NUMERIC|MONEY|CURRENCY/.test(type) ? numericOf(type, profile) : bigint(kept);
}

function ofNumbers(profile: ColumnProfile, type: string, isKey: boolean): ChosenType {
  const counts = ["integer", "real"].map((kind) => profile.counts.get(kind as "integer" | "real") ?? 0);
  const [integers = 0] = counts;
  if (profile.infinite > 0 && profile.finerThanDouble === 0)
    return integers === 0 && !isKey ? double() : mixed(profile);
  if (profile.tooLong > 0)
    return chosen("numeric", "numeric", [
      `${profile.tooLong} numbers have more digits than a numeric can have, and their rows will be rejected`,
    ]);
  const isFloat = /REAL|FLOA|DOUB/.test(type) || type === "";
  // A key of doubles would compare bits that no one typed.
  if (isFloat && integers === 0 && profile.decimals === 0 && !isKey) return double();
  if (type === "" && integers > 0 && profile.wholeReals > 0) return mixed(profile);
  const unsure =
    profile.wholeReals > 0 && integers > 0
      ? [`it has ${integers} integers and ${profile.wholeReals} reals without a fraction: both become the same numeric`]
      : [];
  const found = numericOf(type, profile);
  return { ...found, unsure: [...unsure, ...found.unsure] };
}

/** numeric with the declared digits, if all values fit. */
function numericOf(type: string, profile: ColumnProfile | undefined): ChosenType {
  const [, precision, scale = "0"] = /\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)/.exec(type) ?? [];
  if (precision === undefined || !/DEC|NUM/.test(type)) return chosen("numeric");
  const [most, after] = [Number(precision), Number(scale)];
  if (most < 1 || most > 1000 || after > most) return chosen("numeric");
  const { digits } = profile ?? { digits: { before: 0, after: 0 } };
  if (digits.before <= most - after && digits.after <= after) return chosen("numeric", `numeric(${most},${after})`);
  return chosen("numeric", "numeric", [
    `it is declared ${type}, and has numbers with ${digits.before} digits before and ${digits.after} after the point`,
  ]);
}

function ofTexts(profile: ColumnProfile, type: string, isKey: boolean, kept: string[]): ChosenType {
  const { filled } = profile;
  if (/UUID|GUID/.test(type) && profile.uuids === filled) return chosen("uuid");
  if (/BOOL/.test(type) && profile.booleanTexts === filled) return chosen("boolean");
  if (/JSON/.test(type) && !isKey) {
    // json keeps the text as it is; jsonb would sort names and drop spaces.
    if (profile.jsonTexts === filled) return chosen("json");
    kept.push(`it is declared ${type}, and ${filled - profile.jsonTexts} texts are no JSON`);
  }
  if (/INT|REAL|FLOA|DOUB|DEC|NUM|BOOL|BLOB/.test(type) && !/CHAR|TEXT/.test(type))
    kept.push(`it is declared ${type} and holds texts (${profile.first.get("text")})`);
  const text = textOf(type, profile.longestText);
  return { ...text, unsure: [...kept, ...text.unsure] };
}

/** text, or varchar if the declared length holds. SQLite does not enforce it. */
function textOf(type: string, longest: number): ChosenType {
  const length = Number(/CHAR[A-Z ]*\(\s*(\d+)\s*\)/.exec(type)?.[1] ?? 0);
  if (length < 1 || length > 10_485_760) return chosen("text");
  if (longest <= length) return chosen("text", `varchar(${length})`);
  return chosen("text", "text", [`it is declared ${type}, and its longest text has ${longest} characters`]);
}

/** Type of a column that is declared as a time, if all values are times. */
function timeOf(profile: ColumnProfile, type: string): ChosenType | undefined {
  if (/^TIME$|^TIME\b(?!STAMP)/.test(type) && isAll(profile, "clock")) return chosen("time");
  if (!isTime(type) || !profile.isOnly("integer", "text") || profile.firstOtherText !== undefined) return undefined;
  if (profile.invalidTexts > 0 || profile.times.has("clock")) return undefined;
  const unit = epochUnit(profile);
  const integers = profile.counts.get("integer") ?? 0;
  if (integers > 0 && unit === undefined) return undefined;
  const order = dayOrder(profile);
  if (profile.times.has("local") && order === undefined) return undefined;
  const unsure: string[] = [];
  if (unit !== undefined && integers > 0)
    unsure.push(`its ${integers} integers are read as times in ${unit === "several" ? "several units" : unit}`);
  if (order !== undefined) unsure.push(`its dates are read as ${order === "dmy" ? "day, month" : "month, day"}, year`);
  const as: Transform | undefined =
    order === undefined && unit !== "seconds" && unit !== "milliseconds" && unit !== "microseconds"
      ? undefined
      : {
          kind: "timestamp",
          ...(unit === undefined || unit === "several" ? {} : { unit }),
          ...(order === undefined ? {} : { order }),
        };
  const hasDayTime = ["naive", "zoned"].some((kind) => profile.times.has(kind as "naive"));
  if (integers === 0 && !hasDayTime) {
    if (!profile.times.has("local")) return chosen("date");
    // A local date can have a time of day, which only the load would see.
    return chosen("timestamp", "timestamp", unsure, as);
  }
  const zoned = profile.times.get("zoned") ?? 0;
  if (integers === 0 && zoned === 0) return chosen("timestamp", "timestamp", unsure, as);
  const texts = (profile.counts.get("text") ?? 0) - zoned;
  if (texts > 0) unsure.push(`its ${texts} texts without an offset are read as UTC`);
  return chosen("timestamptz", "timestamptz", unsure, as);
}

function isAll(profile: ColumnProfile, kind: "clock"): boolean {
  return profile.isOnly("text") && profile.times.get(kind) === profile.filled;
}

/** Unit of all integers; `several` if each one fits one unit, and not all the same; undefined if one fits none. */
function epochUnit({ epochs }: ColumnProfile): EpochUnit | "several" | undefined {
  if (epochs.has("none") || epochs.size === 0) return undefined;
  const [only] = epochs.keys();
  return epochs.size === 1 ? (only as EpochUnit) : "several";
}

/** Order of local dates, if the values tell it. */
export function dayOrder({ dayFirst, daySecond }: ColumnProfile): "dmy" | "mdy" | undefined {
  if (dayFirst > 0 && daySecond === 0) return "dmy";
  return daySecond > 0 && dayFirst === 0 ? "mdy" : undefined;
}

/** Says why a column that looks like times keeps its values. */
function keptTime(profile: ColumnProfile, type: string): string[] {
  if (isTime(type)) {
    if (profile.firstOtherText !== undefined)
      return [`it is declared ${type}, and holds texts that are no time (${profile.firstOtherText})`];
    if (profile.times.has("local"))
      return [`it is declared ${type}, and its dates do not say which number is the day: set "order" in the map`];
    if (profile.isOnly("integer") && epochUnit(profile) === undefined)
      return [`it is declared ${type}, and its integers are no times between 1980 and 2100`];
    return [];
  }
  const unit = profile.isOnly("integer") ? epochUnit(profile) : undefined;
  return unit === undefined ? [] : [`its integers look like times in ${unit === "several" ? "several units" : unit}`];
}

/** jsonb, which keeps the kind of each value. */
function mixed(profile: ColumnProfile): ChosenType {
  const parts = [...profile.counts].map(([kind, count]) => `${count} ${kind}, first in ${profile.first.get(kind)}`);
  return chosen("jsonb", "jsonb", [`it has values of several kinds, which jsonb keeps apart: ${parts.join("; ")}`], {
    kind: "mixed",
  });
}
