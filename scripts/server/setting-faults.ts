import type { Client } from "pg";
import { nearest } from "../core/nearest.ts";
import type { ServerSettings } from "./configuration.ts";
import { canonicalValue, type Parameter, shownValue } from "./parameters.ts";
import { unitsOf } from "./quantity.ts";

/** A setting that PostgreSQL does not accept, and the reason. */
export interface SettingFault {
  name: string;
  /** Completes "NAME …". */
  reason: string;
}

/** Checks settings against the server's own list of them. Each problem has the value and what is allowed. */
export function settingFaults(settings: ServerSettings, parameters: ReadonlyMap<string, Parameter>): SettingFault[] {
  return Object.entries(settings).flatMap(([name, value]) => {
    const reason = reasonAgainst(name, value, parameters);
    return reason === undefined ? [] : [{ name, reason }];
  });
}

/**
 * Checks text values that a server accepts from its file without looking, but that no session can use: the name of a
 * text search configuration, or of a tablespace. Each is set in a transaction that is rolled back.
 */
export async function textFaults(
  client: Client,
  settings: ServerSettings,
  parameters: ReadonlyMap<string, Parameter>,
): Promise<SettingFault[]> {
  const faults: SettingFault[] = [];
  for (const [name, value] of Object.entries(settings)) {
    const { vartype, context } = parameters.get(name) ?? {};
    // Other settings cannot be set in a session.
    if (vartype !== "string" || (context !== "user" && context !== "superuser")) continue;
    await client.query("BEGIN");
    try {
      await client.query("SELECT pg_catalog.set_config($1, $2, true)", [name, value]);
    } catch (error) {
      // 22023: invalid_parameter_value, 42704: undefined_object. Other errors are not about the value.
      const { code, message } = error as { code?: string; message: string };
      if (code !== "22023" && code !== "42704") throw error;
      faults.push({ name, reason: `is '${value}'; PostgreSQL says: ${message}` });
    } finally {
      await client.query("ROLLBACK");
    }
  }
  return faults;
}

function reasonAgainst(name: string, value: string, parameters: ReadonlyMap<string, Parameter>): string | undefined {
  const parameter = parameters.get(name);
  // The setting of a module is known only after the module is loaded.
  if (parameter === undefined) return name.includes(".") ? undefined : unknownName(name, [...parameters.keys()]);
  if (parameter.context === "internal") return "is read-only: PostgreSQL sets it itself";
  const canonical = canonicalValue(parameter, value);
  if (canonical === undefined) return `is '${value}'; ${expectation(parameter)}`;
  const isNumber = parameter.vartype === "integer" || parameter.vartype === "real";
  const [least, most] = [Number(parameter.min ?? -Infinity), Number(parameter.max ?? Infinity)];
  if (isNumber && (Number(canonical) < least || Number(canonical) > most))
    return `is '${value}'; ${expectation(parameter)}`;
  return undefined;
}

function unknownName(name: string, known: readonly string[]): string {
  const meant = nearest(name, known);
  return `is not a setting of this PostgreSQL${meant === undefined ? "" : `; did you mean ${meant}?`}`;
}

function expectation(parameter: Parameter): string {
  const { vartype, unit, min, max, choices } = parameter;
  switch (vartype) {
    case "bool":
      return "expected on or off";
    case "enum":
      return `expected one of ${(choices ?? []).join(", ")}`;
    case "string":
      return "expected text";
    case "integer":
    case "real": {
      const [least, most] = [min ?? "", max ?? ""].map((raw) => shownValue(parameter, raw));
      const allowed = unitsOf(unit);
      const units = allowed.length === 0 ? "" : `, in ${allowed.join(", ")}${bareNumber(unit)}`;
      return `expected ${vartype === "integer" && unit === "" ? "a whole number " : ""}from ${least} to ${most}${units}`;
    }
  }
}

/** Explains the unit of a number without a unit. Some settings count blocks. */
function bareNumber(unit: string): string {
  return `; the unit of a plain number is ${unit}`;
}
