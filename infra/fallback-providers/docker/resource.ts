import type { ResourceType } from "../../provider-protocol/resource-type.ts";
import { type Definition as AnyDefinition, resourceType as anyResourceType } from "../definition.ts";
import { type Engine, engineAnswers, engineFor } from "./engine.ts";

export type Definition = AnyDefinition<Engine>;

/** Builds a resource type of a Docker engine. */
export function resourceType(definition: Definition): ResourceType {
  const { describeExisting } = definition;
  return anyResourceType(
    { server: engineFor, beforeCheck: engineAnswers },
    {
      ...definition,
      ensure: (engine, wanted, before) => engine.told(() => definition.ensure(engine, wanted, before)),
      find: (engine, expected) => engine.told(() => definition.find(engine, expected)),
      remove: (engine, outputs) => engine.told(() => definition.remove(engine, outputs)),
      ...(describeExisting === undefined
        ? {}
        : { describeExisting: (engine, wanted) => engine.told(() => describeExisting(engine, wanted)) }),
    },
  );
}
