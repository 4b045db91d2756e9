import type { Client } from "pg";
import { nearest } from "../database/nearest.ts";
import type { ServerSettings } from "./configuration.ts";
import { canonicalValue, type Parameter, shownValue } from "./parameters.ts";
import { unitsOf } from "./quantity.ts";

/** A setting that PostgreSQL will not take, and why. */
export interface SettingFault {
  name: string;
  /** Completes "NAME …". */
  reason: string;
}

/** What is wrong with settings by the server's own list of them, every one with the value and what is allowed. */
export function settingFaults(settings: ServerSettings, parameters: ReadonlyMap<string, Parameter>): SettingFault[] {
  return Object.entries(settings).flatMap(([name, value]) => {
    const reason = reasonAgainst(name, value, parameters);
    return reason === undefined ? [] : [{ name, reason }];
  });
}

/**
 * What a session says against texts that a server takes from its file unseen, and that nobody can use then: the name of a text search configuration, of
 * a tablespace. Each is tried in a transaction that is rolled back.
 */
export async function textFaults(
  client: Client,
  settings: ServerSettings,
  parameters: ReadonlyMap<string, Parameter>,
): Promise<SettingFault[]> {
  const faults: SettingFault[] = [];
  for (const [name, value] of Object.entries(settings)) {
    const { vartype, context } = parameters.get(name) ?? {};
    // Others cannot be set in a session.
    if (vartype !== "string" || (context !== "user" && context !== "superuser")) continue;
    await client.query("BEGIN");
    try {
      await client.query("SELECT pg_catalog.set_config($1, $2, true)", [name, value]);
    } catch (error) {
      // 22023: invalid_parameter_value, 42704: undefined_object. With any other it was not the value that was judged.
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
  // The name of a module's setting is known once the module is loaded.
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
      return "expected a text";
    case "integer":
    case "real": {
      const [least, most] = [min ?? "", max ?? ""].map((raw) => shownValue(parameter, raw));
      const allowed = unitsOf(unit);
      const units = allowed.length === 0 ? "" : `, in ${allowed.join(", ")}${bareNumber(unit)}`;
      return `expected ${vartype === "integer" && unit === "" ? "a whole number " : ""}from ${least} to ${most}${units}`;
    }
  }
}

/** A number without a unit counts blocks for some settings. */
function bareNumber(unit: string): string {
  return `; a number alone counts ${unit}`;
}
