import { plugin } from "../../../../../infra/airgap/postgresql/plugin.ts";
import type { CallContext, ResourceType } from "../../../../../infra/plugin/resource-type.ts";
import type { Properties } from "../../../../../infra/plugin/values.ts";
import { type RecordedResource, recordedResourcesOf } from "../../../../recorded-resources.ts";

export const recordedResources = () => recordedResourcesOf("postgresql");

/** The recorded resource of the first stack that has it. */
export async function recorded(type: string, name: string): Promise<RecordedResource> {
  const found = (await recordedResources()).find((resource) => resource.type === type && resource.name === name);
  if (found === undefined) throw new Error(`no ${type} ${name} is recorded`);
  return found;
}

export async function typeOf(token: string): Promise<ResourceType> {
  const load = plugin.types[token];
  if (load === undefined) throw new Error(`the plugin has no ${token}`);
  return load();
}

/** A call whose configuration leads nowhere: what does not connect must not notice. */
export function callContext(name: string, config: Properties = { host: "192.0.2.1", port: "1" }): CallContext {
  return {
    urn: `urn:pulumi:dev::project::postgresql:index/x:X::${name}`,
    config,
    log: async () => undefined,
    signal: new AbortController().signal,
  };
}
