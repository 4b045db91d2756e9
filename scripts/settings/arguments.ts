import type { z } from "zod";
import { exitCode, OperationError } from "../core/operation-error.ts";
import { durabilityRisks } from "./durability.ts";
import { type Fault, faultsOf } from "./fault.ts";
import { serverFaults } from "./settings.ts";
import { suggestion } from "./suggestion.ts";

/** Schemas of a component's arguments, by name. */
export type ArgumentShape = Readonly<Record<string, z.ZodType>>;

/** Parsed arguments, with their defaults. */
export type Parsed<Shape extends ArgumentShape> = { [Name in keyof Shape]: z.output<Shape[Name]> };

/**
 * Parses the arguments of a component that are settings of a stack in the kit's own program. They have the same
 * meaning, limits and defaults.
 *
 * @param component its type and name, for messages
 * @param isProtected true if settings that give up durability are refused
 * @throws OperationError that lists every wrong argument at once
 */
export function parseArguments<Shape extends ArgumentShape>(
  component: string,
  shape: Shape,
  given: object,
  isProtected: boolean,
): Parsed<Shape> {
  const written = new Map(Object.entries(given).filter(([, value]) => value !== undefined));
  const faults: Fault[] = [...written.keys()]
    .filter((name) => !Object.hasOwn(shape, name))
    .map((setting) => ({ setting, reason: `is not an argument${suggestion(setting, Object.keys(shape))}` }));
  const values: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(shape)) {
    const result = schema.safeParse(written.get(name));
    if (result.success) values[name] = result.data;
    else faults.push(...faultsOf(name, schema, shown(written.get(name)), result.error));
  }
  faults.push(...serverFaults(values), ...(isProtected ? riskyFaults(values) : []));
  if (faults.length === 0) return values as Parsed<Shape>;
  const lines = faults.map(({ setting, reason }) => `- ${setting}: ${reason}`);
  throw new OperationError([`Arguments of ${component} are wrong:`, ...lines].join("\n"), { exitCode: exitCode.usage });
}

function riskyFaults({ postgresql = {} }: Readonly<Record<string, unknown>>): Fault[] {
  return durabilityRisks(postgresql as Record<string, string>).map(({ name, value, consequence }) => ({
    setting: `postgresql.${name}`,
    reason: `'${value}' is refused because the option 'protect' is set: ${consequence}`,
  }));
}

function shown(value: unknown): string | undefined {
  return typeof value === "string" || value === undefined ? value : JSON.stringify(value);
}
