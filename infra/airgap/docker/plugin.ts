import type { Plugin } from "../../plugin/resource-type.ts";
import { configurationKeys } from "./configuration.ts";

/** The version of @pulumi/docker that this agrees with; the engine asks for the plugin by it. */
export const version = "5.2.0";

/** Stand-in for the official docker provider plugin, for machines that cannot download it: the resource types the kit uses. */
export const plugin: Plugin = {
  name: "docker",
  version,
  configuration: configurationKeys,
  // The SDK of the official plugin has its schema built in: the engine never asks.
  schema: async () => JSON.stringify({ name: "docker", version, resources: {} }),
  types: {
    "docker:index/container:Container": async () => (await import("./container.ts")).container,
    "docker:index/image:Image": async () => (await import("./image.ts")).image,
    "docker:index/network:Network": async () => (await import("./network.ts")).network,
    "docker:index/volume:Volume": async () => (await import("./volume.ts")).volume,
  },
};
