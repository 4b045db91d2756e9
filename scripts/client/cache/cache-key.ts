import { exitCode, OperationError } from "../../core/operation-error.ts";

/**
 * Returns a text that is equal only for the same statement with the same values.
 *
 * @throws OperationError (wrong usage) for a value that the driver would convert by its own rules
 */
export function statementKey(text: string, values: readonly unknown[] = []): string {
  return JSON.stringify([text, values.map(valueKey)]);
}

function valueKey(value: unknown): unknown {
  if (value === null || value === undefined) return null;
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "bigint" || typeof value === "boolean")
    return [typeof value, String(value)];
  if (value instanceof Date) return ["date", value.getTime()];
  if (value instanceof Uint8Array) return ["bytes", Buffer.from(value).toString("base64")];
  if (Array.isArray(value)) return ["array", value.map(valueKey)];
  throw new OperationError(`A value of a cached statement is ${describe(value)}, which cannot be part of a key.`, {
    hint: "Pass texts, numbers, dates, bytes or arrays of them (JSON as a text), or use read() with a key.",
    exitCode: exitCode.usage,
  });
}

function describe(value: unknown): string {
  return typeof value === "object" ? `an object (${value?.constructor?.name ?? "no class"})` : `a ${typeof value}`;
}
