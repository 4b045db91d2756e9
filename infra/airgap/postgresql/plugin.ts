import type { Plugin } from "../../plugin/resource-type.ts";
import { configurationDefaults, configurationKeys } from "./configuration.ts";

/** The version of @pulumi/postgresql that this agrees with; the engine asks for the plugin by it. */
export const version = "3.18.1";

/** Stand-in for the official postgresql provider plugin, for machines that cannot download it: the resource types the kit uses. */
export const plugin: Plugin = {
  name: "postgresql",
  version,
  configuration: configurationKeys,
  configurationDefaults,
  // The SDK of the official plugin has its schema built in: the engine never asks.
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
