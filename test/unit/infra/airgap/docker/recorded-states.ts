import { plugin } from "../../../../../infra/airgap/docker/plugin.ts";
import type { CallContext, ResourceType } from "../../../../../infra/plugin/resource-type.ts";
import type { Properties } from "../../../../../infra/plugin/values.ts";
import { type RecordedResource, recordedResourcesOf } from "../../../../recorded-resources.ts";

export const types = {
  container: "docker:index/container:Container",
  image: "docker:index/image:Image",
  network: "docker:index/network:Network",
  volume: "docker:index/volume:Volume",
};

export const recordedResources = () => recordedResourcesOf("docker");

export async function recorded(name: string): Promise<RecordedResource> {
  const found = (await recordedResources()).find((resource) => resource.name === name);
  if (found === undefined) throw new Error(`no ${name} is recorded`);
  return found;
}

export async function typeOf(token: string): Promise<ResourceType> {
  const load = plugin.types[token];
  if (load === undefined) throw new Error(`the plugin has no ${token}`);
  return load();
}

/** A call whose engine does not answer: what must not ask it does not notice. */
export function callContext(name: string, config: Properties = {}): CallContext {
  return {
    urn: `urn:pulumi:dev::project::docker:index/x:X::${name}`,
    config: { host: "tcp://192.0.2.1:1", disableDockerDaemonCheck: "true", ...config },
    log: async () => undefined,
    signal: new AbortController().signal,
  };
}
