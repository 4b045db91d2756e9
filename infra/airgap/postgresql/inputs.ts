import { randomBytes } from "node:crypto";
import type { CheckFailure, CheckResult } from "../../plugin/resource-type.ts";
import { isUnknown, type Properties } from "../../plugin/values.ts";
import { isEmpty, type Property, type PropertyTable, sameValue } from "./property.ts";

/**
 * Completes inputs with the official plugin's defaults and refuses, by name, what it could not carry out.
 *
 * @param typeName as a program writes it, for messages
 * @param logicalName the resource's name in the program, from which a missing `name` is made
 */
export function checkInputs(
  typeName: string,
  table: PropertyTable,
  logicalName: string,
  news: Properties,
  oldInputs: Properties | undefined,
): CheckResult {
  const inputs = declared(news);
  const failures = Object.entries(inputs).flatMap(([key, value]) => fault(typeName, table, key, value));
  const defaults: string[] = [];
  for (const [key, property] of Object.entries(table)) {
    if (inputs[key] !== undefined && inputs[key] !== null) continue;
    const value = property.autoNamed ? autoName(logicalName, oldInputs?.[key]) : property.default;
    if (value !== undefined) {
      inputs[key] = value;
      defaults.push(key);
    } else if (property.required) {
      failures.push({ property: key, reason: `${typeName} needs "${key}"` });
    }
  }
  inputs.__defaults = defaults.sort();
  return { inputs, failures };
}

/** Without what the protocol adds. */
export function declared(values: Properties): Properties {
  return Object.fromEntries(
    Object.entries(values).filter(([key, value]) => !key.startsWith("__") && value !== undefined),
  );
}

/**
 * The inputs that a refresh answers: what was declared, with the value that the server has now, so that the next preview shows the drift.
 * Without inputs (an import) everything that is not empty.
 */
export function refreshedInputs(table: PropertyTable, oldInputs: Properties, outputs: Properties): Properties {
  const known = Object.keys(declared(oldInputs)).length > 0;
  const inputs: Properties = { ...oldInputs };
  for (const [key, property] of Object.entries(table)) {
    const before = oldInputs[key];
    const now = outputs[key];
    if (known && before === undefined) continue;
    if (known ? sameValue(property.kind, before, now) : isEmpty(now)) continue;
    inputs[key] = now;
  }
  if (!known) inputs.__defaults = [];
  return inputs;
}

function fault(typeName: string, table: PropertyTable, key: string, value: unknown): CheckFailure[] {
  const property = table[key];
  if (property === undefined) {
    return [{ property: key, reason: `${typeName} has no input "${key}"; it has ${Object.keys(table).join(", ")}` }];
  }
  if (value === null || isUnknown(value)) return [];
  const reason = faultOf(property, value);
  return reason === undefined ? [] : [{ property: key, reason: `${typeName}.${key} ${reason}` }];
}

function faultOf(property: Property, value: unknown): string | undefined {
  if (property.refused !== undefined) return isEmpty(value) ? undefined : property.refused;
  if (!hasKind(property, value)) return `must be ${kindNames[property.kind]}`;
  if (property.required && value === "") return "must not be empty";
  if (property.minimum !== undefined && (value as number) < property.minimum) {
    return `must be ${property.minimum} or more, and is ${value}`;
  }
  if (property.oneOf !== undefined && !property.oneOf.includes(value as string)) {
    return `must be one of ${property.oneOf.join(", ")}, and is "${value}"`;
  }
  return undefined;
}

const kindNames = {
  string: "a string",
  number: "a whole number",
  boolean: "true or false",
  set: "a list of strings",
  list: "a list of strings",
} as const;

function hasKind(property: Property, value: unknown): boolean {
  switch (property.kind) {
    case "number":
      return Number.isInteger(value);
    case "set":
    case "list":
      return Array.isArray(value) && value.every((item) => typeof item === "string");
    default:
      return typeof value === property.kind;
  }
}

/** Once made a name stays, else every preview would show a rename. */
function autoName(logicalName: string, before: unknown): string {
  return typeof before === "string" && before !== ""
    ? before
    : `${logicalName}-${randomBytes(4).toString("hex").slice(0, 7)}`;
}
