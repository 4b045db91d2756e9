import { quoted, shorten } from "./shown.ts";
import { Problem } from "./value.ts";

/** Unit of a number in a column of times. It counts from 1970-01-01 UTC. */
export type EpochUnit = "seconds" | "milliseconds" | "microseconds";

/** Spelling of the times in a column. */
export interface TimestampFormat {
  /** Unit of numbers. Default: the one in which the number lies between 1980 and 2100; others are ambiguous. */
  unit?: EpochUnit | undefined;
  /** Time zone of texts without an offset, as an IANA name. Default: UTC. */
  zone?: string | undefined;
  /** Order of dates such as 02/01/2024. Without it they are ambiguous. */
  order?: "dmy" | "mdy" | undefined;
}

const unitDigits: Readonly<Record<EpochUnit, number>> = { seconds: 6, milliseconds: 3, microseconds: 0 };
/** Years 1980 to 2100 in microseconds: a number in this range in one unit is out of it in the others. */
const plausible = { from: 315_532_800_000_000n, to: 4_102_444_800_000_000n };
/** The same years in whole numbers of each unit. */
const wholeUnits = Object.values(unitDigits).map((digits) => {
  const factor = 10n ** BigInt(digits);
  return { from: Number(plausible.from / factor), to: Number(plausible.to / factor), factor };
});
/** Years 1 to 9999 in microseconds. */
const supported = { from: -62_135_596_800_000_000n, to: 253_402_300_800_000_000n };

const iso =
  /^(\d{4})[-/](\d\d)[-/](\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?)?\s*(Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?$/i;
const local = /^(\d\d?)[./-](\d\d?)[./-](\d{4})(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?)?$/;

/** Parts of a spelled time. `offset` is undefined if the text has none. */
interface Parts {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  micros: number;
  offset: string | undefined;
}

/** Converts a spelled time to microseconds since 1970-01-01 UTC. */
export function microsOfText(text: string, format: TimestampFormat): bigint | Problem {
  const parts = parseTime(text, format);
  if (parts instanceof Problem) return parts;
  const utc = utcMicros(parts);
  if (parts.offset !== undefined) return utc - BigInt(offsetMinutes(parts.offset)) * 60_000_000n;
  const zone = format.zone ?? "UTC";
  return zone === "UTC" ? utc : inZone(utc, zone, text);
}

/** Parses the parts of a spelled time and checks their ranges. */
export function parseTime(text: string, format: TimestampFormat): Parts | Problem {
  const spelled = text.trim();
  const named = iso.exec(spelled);
  if (named !== null) {
    const [, year, month, day, hour, minute, second, fraction, offset] = named;
    if (/^[+-](1[6-9]|[2-9]\d|\d\d:?[6-9]\d)/.test(offset ?? ""))
      return new Problem(`${quoted(text)} has an offset from UTC that no time zone has`);
    return checked(text, [year, month, day], [hour, minute, second, fraction], offset?.toUpperCase());
  }
  const [, first, second, year, hour, minute, seconds, fraction] = local.exec(spelled) ?? [];
  if (year === undefined) return new Problem(`${quoted(text)} is not a time in a known spelling`);
  if (format.order === undefined)
    return new Problem(
      `${quoted(text)} does not say which is the day and which the month: set "order" in the map`,
      true,
    );
  const [day, month] = format.order === "dmy" ? [first, second] : [second, first];
  return checked(text, [year, month, day], [hour, minute, seconds, fraction], undefined);
}

type Digits = (string | undefined)[];

function checked(text: string, date: Digits, time: Digits, offset: string | undefined): Parts | Problem {
  const [year = 0, month = 0, day = 0] = date.map(Number);
  const [hour = 0, minute = 0, second = 0] = time.slice(0, 3).map((digits) => Number(digits ?? 0));
  const fraction = time[3] ?? "";
  if (hour === 24) return new Problem(`${quoted(text)} has hour 24, which PostgreSQL would turn into the next day`);
  if (second === 60)
    return new Problem(`${quoted(text)} has second 60, which PostgreSQL would turn into the next minute`);
  const days = new Date(Date.UTC(year, month, 0)).getUTCDate();
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > days || hour > 23 || minute > 59 || second > 60)
    return new Problem(`${quoted(text)} is not a time of the calendar`);
  if (/[1-9]/.test(fraction.slice(6)))
    return new Problem(`${quoted(text)} has more than 6 fraction digits: PostgreSQL would round it`);
  return { year, month, day, hour, minute, second, micros: Number(fraction.slice(0, 6).padEnd(6, "0")), offset };
}

function utcMicros({ year, month, day, hour, minute, second, micros }: Parts): bigint {
  // Date.UTC reads years below 100 as 19xx.
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  return BigInt(date.getTime()) * 1000n + BigInt(micros);
}

function offsetMinutes(offset: string): number {
  if (!/^[+-]/.test(offset)) return 0;
  const minutes = Number(offset.slice(1, 3)) * 60 + Number(offset.slice(3).replace(":", "") || 0);
  return offset.startsWith("-") ? -minutes : minutes;
}

const formatters = new Map<string, Intl.DateTimeFormat>();

/** Returns true if a time zone is known. */
export function isTimeZone(zone: string): boolean {
  try {
    formatterOf(zone);
    return true;
  } catch {
    return false;
  }
}

function formatterOf(zone: string): Intl.DateTimeFormat {
  let formatter = formatters.get(zone);
  if (formatter === undefined) {
    formatter = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
    formatters.set(zone, formatter);
  }
  return formatter;
}

/** Converts a local time of a zone. A time that the zone's clocks skip or show twice is a problem. */
function inZone(localMicros: bigint, zone: string, text: string): bigint | Problem {
  const candidates = new Set<bigint>();
  for (const hours of [-26, 0, 26]) {
    const offset = offsetAt(localMicros + BigInt(hours) * 3_600_000_000n, zone);
    const moment = localMicros - offset;
    if (offsetAt(moment, zone) === offset) candidates.add(moment);
  }
  const [only, other] = candidates;
  if (only === undefined) return new Problem(`${quoted(text)} does not exist in ${zone}: its clocks skip this time`);
  if (other !== undefined)
    return new Problem(`${quoted(text)} exists twice in ${zone}: its clocks are set back then`, true);
  return only;
}

/** Returns the offset of a zone from UTC at a moment, in microseconds. */
function offsetAt(micros: bigint, zone: string): bigint {
  const seconds = micros >= 0n || micros % 1_000_000n === 0n ? micros / 1_000_000n : micros / 1_000_000n - 1n;
  const parts = Object.fromEntries(
    formatterOf(zone)
      .formatToParts(new Date(Number(seconds) * 1000))
      .map(({ type, value }) => [type, Number(value)]),
  ) as Record<string, number>;
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return BigInt(Date.UTC(year, month - 1, day, hour, minute, second)) * 1000n - seconds * 1_000_000n;
}

/** Converts a number, as a plain decimal, to microseconds since 1970-01-01 UTC. */
export function microsOfNumber(text: string, { unit }: TimestampFormat): bigint | Problem {
  if (unit !== undefined) return scaled(text, unit);
  // The plausible numbers of the units are apart, so at most one unit fits. A double holds 15 digits.
  const whole = /^\d{9,15}$/.test(text) ? Number(text) : 0;
  for (const { from, to, factor } of wholeUnits) if (whole >= from && whole < to) return BigInt(whole) * factor;
  const fitting = (Object.keys(unitDigits) as EpochUnit[]).flatMap((each) => {
    const micros = scaled(text, each);
    return typeof micros === "bigint" && micros >= plausible.from && micros < plausible.to ? [micros] : [];
  });
  const [only] = fitting;
  if (fitting.length === 1 && only !== undefined) return only;
  return new Problem(`${shorten(text)} can be seconds, milliseconds or microseconds: set "unit" in the map`, true);
}

function scaled(text: string, unit: EpochUnit): bigint | Problem {
  const digits = unitDigits[unit];
  const [whole = "", fraction = ""] = text.split(".");
  if (/[1-9]/.test(fraction.slice(digits))) return new Problem(`${shorten(text)} ${unit} are finer than a microsecond`);
  return BigInt(whole + fraction.slice(0, digits).padEnd(digits, "0"));
}

/** Formats microseconds since 1970 as PostgreSQL prints a timestamp in UTC, without the zone. */
export function formatMicros(micros: bigint): string | Problem {
  if (micros < supported.from || micros >= supported.to) return new Problem("the year is not between 1 and 9999");
  const rest = Number(micros % 1_000_000n);
  const fraction = rest < 0 ? rest + 1_000_000 : rest;
  const seconds = Number(micros / 1_000_000n) - (rest < 0 ? 1 : 0);
  const day = Math.floor(seconds / 86_400);
  const inDay = seconds - day * 86_400;
  const minutes = Math.floor(inDay / 60);
  const time = `${digits2[Math.floor(minutes / 60)]}:${digits2[minutes % 60]}:${digits2[inDay % 60]}`;
  const shown = fraction === 0 ? "" : `.${String(fraction).padStart(6, "0").replace(/0+$/, "")}`;
  return `${dateOfDay(day)} ${time}${shown}`;
}

const digits2 = Array.from({ length: 60 }, (_, number) => String(number).padStart(2, "0"));
const lastDate = { day: Number.NaN, text: "" };

/** Formats a day since 1970. The rows of a table often have the same day one after the other. */
function dateOfDay(day: number): string {
  if (day !== lastDate.day) {
    lastDate.day = day;
    lastDate.text = new Date(day * 86_400_000).toISOString().slice(0, 10);
  }
  return lastDate.text;
}
