import type { Codec } from "./codec.ts";
import { jsonbText } from "./json-text.ts";
import { describeValue, JsonNumber, type Value } from "./value.ts";

/**
 * Codec of a column that the transform `mixed` fills from SQLite. The comparison does not use the JSON that was written:
 * the server tells kind and value from the column, and the source's side from SQLite's value.
 */
export const mixedCodec: Codec = {
  write: jsonbText,
  expected: kindAndValue,
  sql: (expression) => `case jsonb_typeof(${expression})
    when 'string' then 'text ' || (${expression} #>> '{}')
    when 'number' then case when ${expression}::text like '%.%'
      then 'real ' || encode(float8send((${expression} #>> '{}')::float8), 'hex')
      else 'integer ' || (${expression} #>> '{}') end
    when 'object' then coalesce('blob ' || encode(decode(${expression} #>> '{$binary,base64}', 'base64'), 'hex'),
      'real ' || encode(float8send((${expression} ->> '$numberDouble')::float8), 'hex'), 'object')
    else ${expression}::text end`,
  isNumber: false,
};

function kindAndValue(value: Value): string {
  if (typeof value === "bigint") return `integer ${value}`;
  if (typeof value === "number") return `real ${bytesOf(value)}`;
  if (typeof value === "string") return `text ${value}`;
  if (value instanceof Uint8Array) return `blob ${Buffer.from(value).toString("hex")}`;
  if (value instanceof JsonNumber)
    return /^-?\d+$/.test(value.text) ? `integer ${value.text}` : `real ${bytesOf(Number(value.text))}`;
  return typeof value === "boolean" ? String(value) : describeValue(value);
}

function bytesOf(value: number): string {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return bytes.toString("hex");
}
