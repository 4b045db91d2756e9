import { plugin } from "../../../../../infra/fallback-providers/postgresql/plugin.ts";
import type { CallContext, ResourceType } from "../../../../../infra/provider-protocol/resource-type.ts";
import type { Properties } from "../../../../../infra/provider-protocol/values.ts";
import { type RecordedResource, recordedResourcesOf } from "../../../../recorded-resources.ts";

export const recordedResources = () => recordedResourcesOf("postgresql");

/** Returns the recorded resource of the first stack that has it. */
export async function recorded(type: string, name: string): Promise<RecordedResource> {
  const found = (await recordedResources()).find((resource) => resource.type === type && resource.name === name);
  if (found === undefined) throw new Error(`no ${type} ${name} is recorded`);
  return found;
}

/** Loads a resource type of the postgresql fallback provider. */
export async function typeOf(token: string): Promise<ResourceType> {
  const load = plugin.types[token];
  if (load === undefined) throw new Error(`the plugin has no ${token}`);
  return load();
}

/** Returns a context with an unreachable server. Code that does not connect works anyway. */
export function callContext(name: string, config: Properties = { host: "192.0.2.1", port: "1" }): CallContext {
  return {
    urn: `urn:pulumi:dev::project::postgresql:index/x:X::${name}`,
    config,
    log: async () => undefined,
    signal: new AbortController().signal,
  };
}
