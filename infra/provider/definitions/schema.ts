import {
  type FunctionName,
  formerTokensOf,
  functionDefinitions,
  type ResourceName,
  resourceDefinitions,
  tokenOf,
} from "./definitions.ts";

/** The package schema that the plugin returns. */
export const schema = {
  name: "pgroundwork",
  version: "0.1.0",
  description: "PostgreSQL for every environment: the resources that no official provider has.",
  license: "MIT",
  resources: Object.fromEntries(
    Object.entries(resourceDefinitions).map(([name, { description, inputs, required, outputs }]) => [
      tokenOf(name as ResourceName),
      {
        description,
        aliases: formerTokensOf(name as ResourceName).map((type) => ({ type })),
        inputProperties: inputs,
        requiredInputs: required,
        properties: { ...inputs, ...outputs },
        required: [...required, ...Object.keys(outputs)],
      },
    ]),
  ),
  functions: Object.fromEntries(
    Object.entries(functionDefinitions).map(([name, { description, inputs, required, outputs, answered }]) => [
      tokenOf(name as FunctionName),
      {
        description,
        inputs: { type: "object", properties: inputs, required },
        outputs: { type: "object", properties: outputs, required: answered },
      },
    ]),
  ),
};
