import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Properties } from "../infra/provider-protocol/values.ts";
import { cloneRoot } from "./clone-root.ts";

/** One resource as an official plugin left it in a stack's state. Secrets are unwrapped, as resource types see them. */
export interface RecordedResource {
  stack: string;
  name: string;
  type: string;
  id: string;
  inputs: Properties;
  outputs: Properties;
}

/**
 * Reads the recorded resources of an official plugin.
 *
 * @param provider name of the official plugin: `docker`, `postgresql`
 */
export async function recordedResourcesOf(provider: string): Promise<RecordedResource[]> {
  const file = join(cloneRoot, "test/fixtures/states", `${provider}.json`);
  return JSON.parse(await readFile(file, "utf8")) as RecordedResource[];
}

/** Stack and provider that recorded resources are placed in. */
export interface RecordedPlace {
  projectName: string;
  stackName: string;
  provider: {
    /** Package name of the plugin. */
    package: string;
    name: string;
    id: string;
    inputs: Properties;
    outputs: Properties;
    /** True if the program declares the provider; false for the engine's default provider. */
    isDeclared: boolean;
  };
}

/** Builds the state of a stack from recorded resources, ready for import. */
export function recordedDeployment(place: RecordedPlace, records: readonly RecordedResource[]) {
  const { projectName, stackName } = place;
  const urn = (type: string, name: string) => `urn:pulumi:${stackName}::${projectName}::${type}::${name}`;
  const root = urn("pulumi:pulumi:Stack", `${projectName}-${stackName}`);
  const { package: plugin, name, id, inputs, outputs, isDeclared } = place.provider;
  const type = `pulumi:providers:${plugin}`;
  const provider = {
    ...{ urn: urn(type, name), custom: true, id, type, inputs, outputs },
    ...(isDeclared ? { parent: root } : {}),
  };
  const resources = records.map((resource) => ({
    urn: urn(resource.type, resource.name),
    custom: true,
    id: resource.id,
    type: resource.type,
    inputs: resource.inputs,
    outputs: resource.outputs,
    parent: root,
    provider: `${provider.urn}::${provider.id}`,
  }));
  return {
    resources: [{ urn: root, custom: false, type: "pulumi:pulumi:Stack", outputs: {} }, provider, ...resources],
  };
}

/** Wraps a value as a secret in the form of an imported state. */
export function sealedInState(value: unknown) {
  return { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", plaintext: JSON.stringify(value) };
}
