import type { Plugin } from "../../provider-protocol/resource-type.ts";
import { configurationKeys } from "./configuration.ts";

/** The version of @pulumi/docker that this matches. The engine requests the plugin by this version. */
export const version = "5.2.0";

/**
 * Fallback for the official docker provider plugin, for machines that cannot download it. It has the resource types
 * that the kit uses.
 */
export const plugin: Plugin = {
  name: "docker",
  version,
  configuration: configurationKeys,
  // The engine never requests the schema, since the official plugin's SDK includes it.
  schema: async () => JSON.stringify({ name: "docker", version, resources: {} }),
  types: {
    "docker:index/container:Container": async () => (await import("./container.ts")).container,
    "docker:index/image:Image": async () => (await import("./image.ts")).image,
    "docker:index/network:Network": async () => (await import("./network.ts")).network,
    "docker:index/volume:Volume": async () => (await import("./volume.ts")).volume,
  },
};
