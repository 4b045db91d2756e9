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
