import { createHash, hash } from "node:crypto";
import { InvalidText, type Value } from "../../values/value.ts";
import { fingerprintDigits } from "../source.ts";

/** Length of a value, in bytes or characters, above which a fingerprint is computed in parts. */
const longValue = 1 << 20;

/**
 * Returns a function that makes the fingerprint of a row: of its values with their kinds, and of all column names. A
 * value that could contain what follows has its length before it.
 */
export function fingerprinter(names: readonly string[]): (row: readonly Value[]) => string {
  const prefix = JSON.stringify(names);
  let bytes = Buffer.from(prefix);
  let end = 0;
  // A fingerprint is made of each row, and texts that are put together take half of its time. So bytes are.
  const append = (text: string) => {
    const { length } = text;
    if (end + length * 3 > bytes.length) bytes = Buffer.concat([bytes.subarray(0, end)], end + length * 3 + (1 << 12));
    if (length > 64) {
      end += bytes.write(text, end);
      return;
    }
    for (let index = 0; index < length; index++) {
      const code = text.charCodeAt(index);
      if (code > 127) {
        end += bytes.write(text, end);
        return;
      }
      bytes[end + index] = code;
    }
    end += length;
  };
  const start = bytes.length;
  return (row) => {
    end = start;
    for (const value of row) {
      if (typeof value === "bigint") {
        append("i");
        append(value.toString());
        append(";");
      } else if (typeof value === "string") {
        if (value.length > longValue) return fingerprintInParts(prefix, row);
        append("t");
        append(String(value.length));
        append(":");
        append(value);
      } else {
        if (value instanceof Uint8Array && value.length > longValue) return fingerprintInParts(prefix, row);
        append(fingerprintText(value));
      }
    }
    return hash("sha256", bytes.subarray(0, end), "hex").slice(0, fingerprintDigits);
  };
}

/** Computes the same fingerprint without the bytes of all values at once, which could be too many. */
function fingerprintInParts(prefix: string, row: readonly Value[]): string {
  const sum = createHash("sha256").update(prefix);
  for (const value of row) {
    if (!(value instanceof Uint8Array)) {
      sum.update(fingerprintText(value));
      continue;
    }
    sum.update("b");
    for (let at = 0; at < value.length; at += longValue)
      sum.update(Buffer.from(value.subarray(at, at + longValue)).toString("hex"));
    sum.update(";");
  }
  return sum.digest("hex").slice(0, fingerprintDigits);
}

/** Writes a value with its kind. */
function fingerprintText(value: Value): string {
  if (typeof value === "string") return `t${value.length}:${value}`;
  if (typeof value === "bigint") return `i${value};`;
  if (typeof value === "number") return Object.is(value, -0) ? "r-0;" : `r${value};`;
  if (value instanceof Uint8Array) return `b${Buffer.from(value).toString("hex")};`;
  return value instanceof InvalidText ? `x${value.reason}:${value.hex};` : "n";
}
