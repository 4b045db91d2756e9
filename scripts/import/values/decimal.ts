import { shorten } from "./shown.ts";
import { Problem } from "./value.ts";

/** Limits of PostgreSQL's numeric: digits before and after the point. */
const mostDigits = { before: 131_072, after: 16_383 };

const pattern = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/;

/**
 * Writes a number as PostgreSQL prints a numeric: without exponent, with a digit before the point. Trailing zeros of
 * the fraction stay, because they are part of a numeric.
 *
 * @returns undefined if the text is not a number
 */
export function plainDecimal(text: string): string | Problem | undefined {
  // Most numbers are in this form already. It has no leading zero to remove, and is no negative zero.
  if (text.length < 100 && /^-?[1-9]\d*(?:\.\d+)?$|^0(?:\.\d+)?$/.test(text)) return text;
  const [, sign = "", before = "", after = "", exponent] = pattern.exec(text) ?? [];
  if (before === "" && after === "") return undefined;
  let whole = before;
  let fraction = after;
  if (exponent !== undefined) {
    const shift = Number(exponent);
    if (Math.abs(shift) > mostDigits.before) return tooLong(text);
    if (shift >= 0) {
      whole += fraction.slice(0, shift).padEnd(shift, "0");
      fraction = fraction.slice(shift);
    } else {
      const padded = whole.padStart(-shift, "0");
      fraction = padded.slice(padded.length + shift) + fraction;
      whole = padded.slice(0, padded.length + shift);
    }
  }
  whole = whole.replace(/^0+(?=\d)/, "") || "0";
  if (whole.length > mostDigits.before || fraction.length > mostDigits.after) return tooLong(text);
  const isZero = whole === "0" && /^0*$/.test(fraction);
  return `${sign === "-" && !isZero ? "-" : ""}${whole}${fraction === "" ? "" : `.${fraction}`}`;
}

function tooLong(text: string): Problem {
  return new Problem(`the number ${shorten(text)} has more digits than a numeric can have`);
}

/**
 * Fits a plain decimal into numeric(precision, scale) without changing its value.
 *
 * @param text result of {@link plainDecimal}
 */
export function fitDecimal(text: string, precision: number, scale: number): string | Problem {
  const point = text.indexOf(".");
  const digits = point < 0 ? text.length : point;
  const digitsAfter = point < 0 ? 0 : text.length - point - 1;
  // Most numbers fit. A negative one can be zero, and one below 1 has no digit that counts before the point.
  if (digitsAfter <= scale && digits <= precision - scale && !text.startsWith("-")) {
    if (digitsAfter === scale) return text;
    return (point < 0 ? `${text}.` : text).padEnd(digits + 1 + scale, "0");
  }
  const negative = text.startsWith("-");
  const [whole = "", fraction = ""] = (negative ? text.slice(1) : text).split(".");
  const dropped = fraction.slice(scale);
  if (/[1-9]/.test(dropped))
    return new Problem(
      `${shorten(text)} has more than ${scale} fraction digits: numeric(${precision},${scale}) would round it`,
    );
  if (whole.replace(/^0$/, "").length > precision - scale)
    return new Problem(`${shorten(text)} is too large for numeric(${precision},${scale})`);
  const kept = fraction.slice(0, scale).padEnd(scale, "0");
  const zero = /^0*$/.test(whole + kept);
  return `${negative && !zero ? "-" : ""}${whole}${scale === 0 ? "" : `.${kept}`}`;
}

/** Multiplies a plain decimal by a power of ten: `shiftDecimal("1999", -2)` is "19.99". */
export function shiftDecimal(text: string, digits: number): string {
  const shifted = plainDecimal(`${text}e${digits}`);
  return typeof shifted === "string" ? shifted : text;
}

/** Digits that every double keeps. */
const safeDigits = 15;
/** Smallest double that has all of its digits. */
const leastNormal = 2.2250738585072014e-308;

/**
 * Returns true if a double stands for a decimal: it prints as the same number, in its shortest form or with as many
 * digits as the decimal has. 0.1 and 0.10000000000000001 are the same double; 9007199254740993 is none.
 *
 * @param number the double that is nearest to the text
 */
export function isDouble(text: string, number: number): boolean {
  const digits = text.replace(/e.*$/i, "").replaceAll(/[-+.]/g, "").replace(/^0+/, "").replace(/0+$/, "").length;
  if (digits === 0 || number === 0) return digits === 0 && number === 0;
  if (!Number.isFinite(number) || digits > 100) return false;
  if (digits <= safeDigits && Math.abs(number) >= leastNormal) return true;
  const same = (other: string) => trimmedNumber(other) === trimmedNumber(text);
  return same(String(number)) || same(number.toPrecision(digits));
}

function trimmedNumber(text: string): string | undefined {
  const plain = plainDecimal(text);
  return typeof plain === "string" ? trimmedDecimal(plain) : undefined;
}

/** Digits of a short number, and how many of them a double adds up exactly: 10^12 * 9,000 is below 2^53. */
const [shortDigits, mostShort] = [12, 9_000];

/** Sum of decimals without rounding. NaN and infinite values are left out. */
export class DecimalSum {
  #units = 0n;
  #scale = 0;
  /** Sum of short numbers of this scale that is not in `#units` yet, and their count. */
  #short = 0;
  #count = 0;

  add(text: string): void {
    if (!/^-?[\d.]+$/.test(text)) return;
    const point = text.indexOf(".");
    const scale = point < 0 ? 0 : text.length - point - 1;
    // Doubles are exact up to 2^53, and thousands of short numbers stay below.
    if (scale === this.#scale && text.length <= shortDigits) {
      this.#short += Number(point < 0 ? text : text.slice(0, point) + text.slice(point + 1));
      if (++this.#count === mostShort) this.#carry();
      return;
    }
    this.#carry();
    if (scale > this.#scale) {
      this.#units *= 10n ** BigInt(scale - this.#scale);
      this.#scale = scale;
    }
    const digits = BigInt(point < 0 ? text : text.slice(0, point) + text.slice(point + 1));
    this.#units += scale === this.#scale ? digits : digits * 10n ** BigInt(this.#scale - scale);
  }

  #carry(): void {
    this.#units += BigInt(this.#short);
    this.#short = 0;
    this.#count = 0;
  }

  /** The sum as a decimal without trailing zeros after the point. */
  get text(): string {
    this.#carry();
    return trimmedDecimal(
      this.#scale === 0 ? String(this.#units) : (plainDecimal(`${this.#units}e-${this.#scale}`) as string),
    );
  }
}

/** Removes zeros at the end of a fraction. */
export function trimmedDecimal(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}
