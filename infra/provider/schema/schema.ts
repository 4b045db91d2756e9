import { type FunctionName, functionToken, type ResourceName, resourceToken } from "../token.ts";
import { backups } from "./backups.ts";
import { certificates } from "./certificates.ts";
import { containers } from "./containers.ts";
import { databases } from "./databases.ts";
import { functions } from "./functions.ts";
import type { ResourceSpec } from "./property.ts";
import { servers } from "./servers.ts";

const resources: Record<ResourceName, ResourceSpec> = {
  ...servers,
  ...databases,
  ...containers,
  ...certificates,
  ...backups,
};

/** The package schema that the plugin returns. */
export const schema = {
  name: "pgroundwork",
  version: "0.1.0",
  description: "PostgreSQL for every environment: the resources that no official provider has.",
  license: "MIT",
  resources: Object.fromEntries(
    Object.entries(resources).map(([name, { description, inputs, required, outputs }]) => [
      resourceToken(name as ResourceName),
      {
        description,
        inputProperties: inputs,
        requiredInputs: required,
        properties: { ...inputs, ...outputs },
        required: [...required, ...Object.keys(outputs)],
      },
    ]),
  ),
  functions: Object.fromEntries(
    Object.entries(functions).map(([name, { description, inputs, required, outputs, answered }]) => [
      functionToken(name as FunctionName),
      {
        description,
        inputs: { type: "object", properties: inputs, required },
        outputs: { type: "object", properties: outputs, required: answered },
      },
    ]),
  ),
};
