import { backups } from "./backups.ts";
import { certificates } from "./certificates.ts";
import { containers } from "./containers.ts";
import { databases } from "./databases.ts";
import { functions } from "./functions.ts";
import type { FunctionDefinition, PropertySpecs, ResourceDefinition } from "./property.ts";
import { servers } from "./servers.ts";

const resources = { ...servers, ...databases, ...containers, ...certificates, ...backups };

/** Resource types of the kit's own plugin. */
export type ResourceName = keyof typeof resources;

/** Functions of the kit's own plugin. */
export type FunctionName = keyof typeof functions;

/** All resource types of the kit's own plugin, by name. */
export const resourceDefinitions: Readonly<Record<ResourceName, ResourceDefinition>> = resources;

/** All functions of the kit's own plugin, by name. */
export const functionDefinitions: Readonly<Record<FunctionName, FunctionDefinition>> = functions;

/** Returns the token of a resource type or a function, as in URNs, state and schema. */
export function tokenOf(name: ResourceName | FunctionName): string {
  return `pgroundwork:index:${name}`;
}

/** Returns the tokens of a resource type in the states of earlier versions. */
export function formerTokensOf(name: ResourceName): string[] {
  return (resourceDefinitions[name].formerNames ?? []).map((former) => `pgroundwork:index:${former}`);
}

/** Returns the names of the properties that are always secret. */
export function secretsOf(properties: PropertySpecs): string[] {
  return Object.entries(properties)
    .filter(([, { secret }]) => secret)
    .map(([key]) => key);
}
