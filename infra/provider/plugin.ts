import type { PluginFunction } from "../provider-protocol/function-type.ts";
import type { Plugin, ResourceType } from "../provider-protocol/resource-type.ts";
import {
  type FunctionName,
  formerTokensOf,
  functionDefinitions,
  type ResourceName,
  resourceDefinitions,
  secretsOf,
  tokenOf,
} from "./definitions/definitions.ts";
import type { FunctionDefinition, ResourceDefinition } from "./definitions/property.ts";

/** The kit's own provider plugin, for resources that no official plugin has. */
export const plugin: Plugin = {
  name: "pgroundwork",
  version: "0.1.0",
  schema: async () => JSON.stringify((await import("./definitions/schema.ts")).schema),
  configuration: undefined,
  // A refresh or destroy of a stack that an earlier version brought up asks for the former tokens.
  types: Object.fromEntries(
    Object.entries(resourceDefinitions).flatMap(([name, definition]) =>
      [tokenOf(name as ResourceName), ...formerTokensOf(name as ResourceName)].map((token) => [
        token,
        typeOf(definition),
      ]),
    ),
  ),
  functions: Object.fromEntries(
    Object.entries(functionDefinitions).map(([name, definition]) => [
      tokenOf(name as FunctionName),
      functionOf(definition),
    ]),
  ),
};

function typeOf({ load, inputs, outputs }: ResourceDefinition): () => Promise<ResourceType> {
  return async () => ({ ...(await load()), secretOutputs: secretsOf({ ...inputs, ...outputs }) });
}

function functionOf({ load, inputs }: FunctionDefinition): () => Promise<PluginFunction> {
  return async () => ({ ...(await load()), secretArguments: secretsOf(inputs) });
}
