import type * as postgresql from "@pulumi/postgresql";
import * as pulumi from "@pulumi/pulumi";
import type { Server } from "../server.ts";
import type { Existing } from "./existing-objects.ts";

export interface DeclaredExtension {
  database: string;
  name: string;
  /** The schema in database.json, if it has one. */
  schema: string | undefined;
  resource: postgresql.Extension;
}

/**
 * Warns if the server has an extension in another schema than the stack's state: someone moved it. The engine compares
 * declarations only with its state, and queries that name the schema fail meanwhile.
 */
export function warnOfMoved(
  server: Server,
  existing: Existing,
  { database, name, schema, resource }: DeclaredExtension,
): void {
  const now = existing.extensionSchemas?.get(`${database}.${name}`);
  if (now === undefined) return;
  resource.schema.apply((recorded) => {
    // An extension that this run has just moved back is in the declared schema.
    if (!recorded || recorded === now) return;
    const option = pulumi.getStack() === "local" ? "" : ` --stack ${pulumi.getStack()}`;
    const refresh = `npm run pgw -- refresh${option}`;
    const lines = [
      `Extension ${name} of database "${database}" is in schema "${now}", but in the stack's state it is in "${recorded}".`,
      ...(schema === undefined
        ? [
            "  It was probably moved by hand. To move it back, run in that database:",
            `    ALTER EXTENSION "${name}" SET SCHEMA "${recorded}";`,
            "  To accept the new schema:",
            `    ${refresh}`,
          ]
        : ["  It was probably moved by hand. To move it back, refresh the state, then run `up`:", `    ${refresh}`]),
    ];
    return pulumi.log.warn(lines.join("\n"), server);
  });
}
