import { afterAll, beforeAll } from "vitest";
import type { Properties } from "../../../../../infra/provider-protocol/values.ts";
import { FallbackProviderProcess } from "../../../../fallback-provider-process.ts";
import { recordedResourcesOf } from "../../../../recorded-resources.ts";

export { declared, type Made } from "../../../../fallback-provider-process.ts";

/** Image that every engine of the tests has. */
export const image = "debian:trixie-slim";

/** Starts the docker fallback provider. It uses the tests' engine unless its configuration names another one. */
export function startDockerFallbackProvider(
  config?: Properties,
  secretKeys?: readonly string[],
): Promise<FallbackProviderProcess> {
  return dockerFallbackProvider(config, secretKeys).started();
}

/**
 * Returns one fallback provider for all tests of a file, and registers its start and end. Call it at the top of the
 * file.
 */
export function sharedDockerFallbackProvider(): FallbackProviderProcess {
  const plugin = dockerFallbackProvider();
  beforeAll(async () => {
    await plugin.started();
  });
  afterAll(() => plugin.stop());
  return plugin;
}

function dockerFallbackProvider(
  config: Properties = {},
  secretKeys: readonly string[] = ["envs", "uploads"],
): FallbackProviderProcess {
  return new FallbackProviderProcess({ name: "docker", config, secretKeys });
}

/** Returns the error message of a rejected promise, or "no error". */
export function messageOf(failing: Promise<unknown>): Promise<string> {
  return failing.then(
    () => "no error",
    (error: Error) => error.message,
  );
}

/** Returns the outputs of a recorded resource, as the official plugin returned them to the engine. */
export async function officialOutputs(name: string): Promise<Properties> {
  const record = (await recordedResourcesOf("docker")).find((resource) => resource.name === name);
  const { __pulumi_raw_state_delta: _, ...outputs } = record?.outputs ?? {};
  return outputs;
}

/** Labels that identify the containers of an interrupted run as the stack's own. */
export function ownerLabels(stack: string): Properties[] {
  return [
    { label: "pgroundwork.project", value: "fallback-provider-tests" },
    { label: "pgroundwork.stack", value: stack },
  ];
}
