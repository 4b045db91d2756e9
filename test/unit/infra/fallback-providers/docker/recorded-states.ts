import { plugin } from "../../../../../infra/fallback-providers/docker/plugin.ts";
import type { CallContext, ResourceType } from "../../../../../infra/provider-protocol/resource-type.ts";
import type { Properties } from "../../../../../infra/provider-protocol/values.ts";
import { type RecordedResource, recordedResourcesOf } from "../../../../recorded-resources.ts";

export const types = {
  container: "docker:index/container:Container",
  image: "docker:index/image:Image",
  network: "docker:index/network:Network",
  volume: "docker:index/volume:Volume",
};

export const recordedResources = () => recordedResourcesOf("docker");

/** Returns the recorded resource with this name. */
export async function recorded(name: string): Promise<RecordedResource> {
  const found = (await recordedResources()).find((resource) => resource.name === name);
  if (found === undefined) throw new Error(`no ${name} is recorded`);
  return found;
}

/** Loads a resource type of the docker fallback provider. */
export async function typeOf(token: string): Promise<ResourceType> {
  const load = plugin.types[token];
  if (load === undefined) throw new Error(`the plugin has no ${token}`);
  return load();
}

/** Returns a context with an unreachable engine. Code that does not call the engine works anyway. */
export function callContext(name: string, config: Properties = {}): CallContext {
  return {
    urn: `urn:pulumi:dev::project::docker:index/x:X::${name}`,
    config: { host: "tcp://192.0.2.1:1", disableDockerDaemonCheck: "true", ...config },
    log: async () => undefined,
    signal: new AbortController().signal,
  };
}
