import type { ResourceType } from "../../provider-protocol/resource-type.ts";
import type { Properties } from "../../provider-protocol/values.ts";
import { type Definition as AnyDefinition, resourceType as anyResourceType } from "../definition.ts";
import { type Sessions, sessionsFor } from "./session.ts";

export type Definition = AnyDefinition<Sessions>;

/** Builds a resource type of a PostgreSQL server. */
export function resourceType(definition: Definition): ResourceType {
  // An omitted `database` means the provider's configured one.
  const scoped = (sessions: Sessions, values: Properties) =>
    !("database" in definition.properties) || typeof values.database === "string"
      ? values
      : { ...values, database: sessions.database };
  return anyResourceType({ server: sessionsFor }, { ...definition, scoped });
}
