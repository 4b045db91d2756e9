import type { ResourceType } from "../../plugin/resource-type.ts";
import type { Properties } from "../../plugin/values.ts";
import { type Definition as AnyDefinition, resourceType as anyResourceType } from "../definition.ts";
import { type Sessions, sessionsFor } from "./session.ts";

export type Definition = AnyDefinition<Sessions>;

/** A resource type that lies on a PostgreSQL server. */
export function resourceType(definition: Definition): ResourceType {
  // `database` left out means the one that the provider is configured with.
  const scoped = (sessions: Sessions, values: Properties) =>
    !("database" in definition.properties) || typeof values.database === "string"
      ? values
      : { ...values, database: sessions.database };
  return anyResourceType({ server: sessionsFor }, { ...definition, scoped });
}
