import { JsonNumber, type Value } from "./value.ts";

/**
 * Writes a value as JSON without spaces. Numbers keep their text and objects the order of their names.
 *
 * @throws Error if it contains a value that JSON does not have
 */
export function writeJson(value: Value): string {
  if (value === null || value === undefined) return "null";
  if (typeof value === "string" || typeof value === "boolean") return JSON.stringify(value);
  if (typeof value === "bigint") return String(value);
  if (value instanceof JsonNumber) return value.text;
  if (Array.isArray(value)) return `[${value.map(writeJson).join(",")}]`;
  if (value instanceof Map)
    return `{${[...value].map(([name, member]) => `${JSON.stringify(name)}:${writeJson(member)}`).join(",")}}`;
  throw new Error("JSON has no such value");
}
