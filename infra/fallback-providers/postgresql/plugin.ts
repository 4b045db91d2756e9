import type { Plugin } from "../../provider-protocol/resource-type.ts";
import { configurationDefaults, configurationKeys } from "./configuration.ts";

/** The version of @pulumi/postgresql that this matches. The engine requests the plugin by this version. */
export const version = "3.18.1";

/**
 * Fallback for the official postgresql provider plugin, for machines that cannot download it. It has the resource types
 * that the kit uses.
 */
export const plugin: Plugin = {
  name: "postgresql",
  version,
  configuration: configurationKeys,
  configurationDefaults,
  // The engine never requests the schema, since the official plugin's SDK includes it.
  schema: async () => JSON.stringify({ name: "postgresql", version, resources: {} }),
  types: {
    "postgresql:index/role:Role": async () => (await import("./role.ts")).role,
    "postgresql:index/database:Database": async () => (await import("./database.ts")).database,
    "postgresql:index/extension:Extension": async () => (await import("./extension.ts")).extension,
    "postgresql:index/schema:Schema": async () => (await import("./schema.ts")).schema,
    "postgresql:index/grant:Grant": async () => (await import("./grant.ts")).grant,
    "postgresql:index/defaultPrivileges:DefaultPrivileges": async () =>
      (await import("./default-privileges.ts")).defaultPrivileges,
  },
};
