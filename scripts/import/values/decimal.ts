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

/** Sum of decimals without rounding. */
export class DecimalSum {
  #units = 0n;
  #scale = 0;

  add(text: string): void {
    const point = text.indexOf(".");
    const scale = point < 0 ? 0 : text.length - point - 1;
    if (scale > this.#scale) {
      this.#units *= 10n ** BigInt(scale - this.#scale);
      this.#scale = scale;
    }
    const digits = BigInt(point < 0 ? text : text.slice(0, point) + text.slice(point + 1));
    this.#units += scale === this.#scale ? digits : digits * 10n ** BigInt(this.#scale - scale);
  }

  /** The sum as a decimal without trailing zeros after the point. */
  get text(): string {
    return trimmedDecimal(
      this.#scale === 0 ? String(this.#units) : (plainDecimal(`${this.#units}e-${this.#scale}`) as string),
    );
  }
}

/** Removes zeros at the end of a fraction. */
export function trimmedDecimal(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}
