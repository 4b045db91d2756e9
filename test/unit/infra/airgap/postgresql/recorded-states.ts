import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { plugin } from "../../../../../infra/airgap/postgresql/plugin.ts";
import type { CallContext, ResourceType } from "../../../../../infra/plugin/resource-type.ts";
import type { Properties } from "../../../../../infra/plugin/values.ts";
import { cloneRoot } from "../../../../clone-root.ts";

/** One resource as the official plugin left it in a stack's state; secrets are unwrapped, as resource types see them. */
export interface RecordedResource {
  stack: string;
  name: string;
  type: string;
  id: string;
  inputs: Properties;
  outputs: Properties;
}

export async function recordedResources(): Promise<RecordedResource[]> {
  const file = join(cloneRoot, "test/fixtures/states/postgresql.json");
  return JSON.parse(await readFile(file, "utf8")) as RecordedResource[];
}

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

/** What a program declared: inputs without what check added. */
export function declaredOf(inputs: Properties): Properties {
  const added = Array.isArray(inputs.__defaults) ? inputs.__defaults : [];
  return Object.fromEntries(Object.entries(inputs).filter(([key]) => key !== "__defaults" && !added.includes(key)));
}
