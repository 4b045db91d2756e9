import { randomBytes } from "node:crypto";
import type { CheckFailure, CheckResult } from "../provider-protocol/resource-type.ts";
import { isUnknown, type Properties } from "../provider-protocol/values.ts";
import { isEmpty, type Property, type PropertyTable, sameValue } from "./property.ts";

/**
 * Completes inputs with the official plugin's defaults. Refuses, by name, inputs that the fallback provider cannot
 * apply.
 *
 * @param typeName type name in programs, for messages
 * @param logicalName the resource's name in the program, from which a missing `name` is generated
 */
export function checkInputs(
  typeName: string,
  table: PropertyTable,
  logicalName: string,
  news: Properties,
  oldInputs: Properties | undefined,
): CheckResult {
  const named = (key: string, property: Property) =>
    property.autoNamed ? autoName(logicalName, oldInputs?.[key]) : undefined;
  return completed({ typeName, path: "", table, values: news, named });
}

/** Removes undefined values and the keys of the protocol. */
export function declared(values: Properties): Properties {
  return Object.fromEntries(
    Object.entries(values).filter(([key, value]) => !key.startsWith("__") && value !== undefined),
  );
}

/**
 * Returns the inputs after a refresh: the declared ones with the server's current values, so that the next preview
 * shows the drift. Without inputs (an import), returns everything that is not empty.
 */
export function refreshedInputs(table: PropertyTable, oldInputs: Properties, outputs: Properties): Properties {
  const known = Object.keys(declared(oldInputs)).length > 0;
  const inputs: Properties = { ...oldInputs };
  for (const [key, property] of Object.entries(table)) {
    const before = oldInputs[key];
    const now = outputs[key];
    if (known && (before === undefined || property.keepsInput)) continue;
    // Values that a program could not declare are left to the server on import.
    if (known ? sameValue(property, now, before) : isEmpty(now) || property.refused !== undefined) continue;
    inputs[key] = now;
  }
  if (!known) inputs.__defaults = [];
  return inputs;
}

/** An object of inputs, at the top level or nested. */
interface Given {
  typeName: string;
  /** Path within the resource's inputs: "" or `ports[0].`. */
  path: string;
  table: PropertyTable;
  values: Properties;
  named(key: string, property: Property): string | undefined;
}

function completed(given: Given): { inputs: Properties; failures: CheckFailure[] } {
  const { typeName, path, table, named } = given;
  const inputs = declared(given.values);
  const failures: CheckFailure[] = [];
  for (const [key, value] of Object.entries(inputs)) {
    const faults = fault(given, key, value);
    failures.push(...faults);
    if (faults.length > 0 || (isUnknown(value) && typeof value === "string")) continue;
    const within = completedWithin(given, key, value);
    inputs[key] = within.value;
    failures.push(...within.failures);
  }
  const defaults: string[] = [];
  for (const [key, property] of Object.entries(table)) {
    if (inputs[key] !== undefined && inputs[key] !== null) continue;
    const value = named(key, property) ?? property.default;
    if (value !== undefined) {
      inputs[key] = value;
      defaults.push(key);
    } else if (property.required) {
      failures.push({ property: `${path}${key}`, reason: `${typeName} needs "${path}${key}"` });
    }
  }
  inputs.__defaults = defaults.sort();
  return { inputs, failures };
}

/** Completes objects in inputs: they get defaults and their own `__defaults`. */
function completedWithin({ typeName, path, table }: Given, key: string, value: unknown) {
  const property = table[key];
  const fields = property?.fields;
  const failures: CheckFailure[] = [];
  if (fields === undefined || value === null) return { value, failures };
  const complete = (item: unknown, place: string) => {
    if (isUnknown(item)) return item;
    const within = completed({
      typeName,
      path: `${place}.`,
      table: fields,
      values: item as Properties,
      named: () => undefined,
    });
    failures.push(...within.failures);
    return within.inputs;
  };
  const whole =
    property?.kind === "objects"
      ? (value as unknown[]).map((item, index) => complete(item, `${path}${key}[${index}]`))
      : complete(value, `${path}${key}`);
  return { value: whole, failures };
}

function fault({ typeName, path, table }: Given, key: string, value: unknown): CheckFailure[] {
  const property = table[key];
  const place = `${path}${key}`;
  if (property === undefined) {
    const owner = path === "" ? typeName : `${typeName}.${path.slice(0, -1)}`;
    return [{ property: place, reason: `${owner} has no input "${key}"; it has ${supported(table).join(", ")}` }];
  }
  if (value === null || (isUnknown(value) && property.fields === undefined)) return [];
  const reason = faultOf(property, value);
  return reason === undefined ? [] : [{ property: place, reason: `${typeName}.${place} ${reason}` }];
}

/** Returns the names of supported inputs, without those that are always refused. */
function supported(table: PropertyTable): string[] {
  return Object.entries(table)
    .filter(([, property]) => property.refused === undefined)
    .map(([key]) => key);
}

function faultOf(property: Property, value: unknown): string | undefined {
  if (property.refused !== undefined) return isEmpty(value) ? undefined : property.refused;
  if (!hasKind(property, value)) return isUnknown(value) ? undefined : `must be ${kindNames[property.kind]}`;
  if (property.required && value === "") return "must not be empty";
  if (property.minimum !== undefined && (value as number) < property.minimum) {
    return `must be ${property.minimum} or more, but is ${value}`;
  }
  if (property.oneOf !== undefined && !property.oneOf.includes(value as string)) {
    return `must be one of ${property.oneOf.join(", ")}, but is "${value}"`;
  }
  return isUnknown(value) ? undefined : property.fault?.(value);
}

const kindNames = {
  string: "a string",
  number: "a whole number",
  boolean: "true or false",
  set: "a list of strings",
  list: "a list of strings",
  map: "an object of strings",
  object: "an object",
  objects: "a list of objects",
} as const;

function hasKind({ kind }: Property, value: unknown): boolean {
  switch (kind) {
    case "number":
      return Number.isInteger(value);
    case "set":
    case "list":
      return Array.isArray(value) && value.every((item) => typeof item === "string");
    case "map":
      return isObject(value) && Object.values(value).every((item) => typeof item === "string");
    case "object":
      return isObject(value);
    case "objects":
      return Array.isArray(value) && value.every((item) => isObject(item) || isUnknown(item));
    default:
      return typeof value === kind;
  }
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Returns the generated name. An existing name stays, since otherwise every preview would show a rename. */
function autoName(logicalName: string, before: unknown): string {
  return typeof before === "string" && before !== ""
    ? before
    : `${logicalName}-${randomBytes(4).toString("hex").slice(0, 7)}`;
}
