import * as pulumi from "@pulumi/pulumi";
import { RunError } from "@pulumi/pulumi/errors.js";
import { OperationError } from "../../scripts/core/operation-error.ts";
import { type ArgumentShape, type Parsed, parseArguments } from "../../scripts/settings/arguments.ts";
import { durabilityRisks } from "../../scripts/settings/durability.ts";
import { commonShape } from "../../scripts/settings/schema.ts";

/** Schemas of the arguments of every component that declares a server. */
export const serverArguments = {
  passwordVersion: commonShape.passwordVersion,
  readyTimeout: commonShape.readyTimeout,
};

/**
 * Refuses arguments of a component.
 *
 * @param component its type and name
 * @throws RunError that lists every wrong argument
 */
export function refuseArguments(
  component: string,
  faults: readonly { path: readonly PropertyKey[]; message: string }[],
): never {
  const lines = faults.map(({ path, message }) => `- ${path.map(String).join(".")}: ${message}`);
  throw new RunError([`Arguments of ${component} are wrong:`, ...lines].join("\n"));
}

/** Runs work whose failures Pulumi prints without a stack trace. */
export function withoutTrace<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof OperationError ? new RunError(error.text) : error;
  }
}

/**
 * Parses the arguments of a component, and warns of settings of postgresql.conf that give up durability. With
 * `protect`, these are refused.
 *
 * @param component its type and name
 * @throws RunError that lists every wrong argument
 */
export function parsed<Shape extends ArgumentShape>(
  component: string,
  shape: Shape,
  given: object,
  protect: boolean,
): Parsed<Shape> {
  const values = withoutTrace(() => parseArguments(component, shape, given, protect));
  const { postgresql = {} } = values as { postgresql?: Record<string, string> };
  for (const { name, value, consequence } of durabilityRisks(postgresql))
    void pulumi.log.warn(`${component}: postgresql.${name} is ${value}: ${consequence}. With protect, it is refused.`);
  return values;
}
