import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { plugin } from "../../../../../infra/airgap/docker/plugin.ts";
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

export const types = {
  container: "docker:index/container:Container",
  image: "docker:index/image:Image",
  network: "docker:index/network:Network",
  volume: "docker:index/volume:Volume",
};

export async function recordedResources(): Promise<RecordedResource[]> {
  const file = join(cloneRoot, "test/fixtures/states/docker.json");
  return JSON.parse(await readFile(file, "utf8")) as RecordedResource[];
}

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
