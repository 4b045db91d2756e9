import { afterAll, beforeAll } from "vitest";
import type { Properties } from "../../../../../infra/plugin/values.ts";
import { recordedResourcesOf } from "../../../../recorded-resources.ts";
import { StandInProcess } from "../../../../stand-in-process.ts";

export { declared, type Made } from "../../../../stand-in-process.ts";

/** What every engine of the tests has. */
export const image = "debian:trixie-slim";

/** The stand-in for the docker provider, on the tests' engine unless its configuration says otherwise. */
export function startDockerStandIn(config?: Properties, secretKeys?: readonly string[]): Promise<StandInProcess> {
  return dockerStandIn(config, secretKeys).started();
}

/** One for all tests of a file. Call it at the top of the file: it registers the start, and the end. */
export function sharedDockerStandIn(): StandInProcess {
  const plugin = dockerStandIn();
  beforeAll(async () => {
    await plugin.started();
  });
  afterAll(() => plugin.stop());
  return plugin;
}

function dockerStandIn(config: Properties = {}, secretKeys: readonly string[] = ["envs", "uploads"]): StandInProcess {
  return new StandInProcess({ name: "docker", config, secretKeys });
}

/** What the error says with which something ends. */
export function messageOf(failing: Promise<unknown>): Promise<string> {
  return failing.then(
    () => "no error",
    (error: Error) => error.message,
  );
}

/** The outputs of a recorded resource, as the official plugin gave them to the engine. */
export async function officialOutputs(name: string): Promise<Properties> {
  const record = (await recordedResourcesOf("docker")).find((resource) => resource.name === name);
  const { __pulumi_raw_state_delta: _, ...outputs } = record?.outputs ?? {};
  return outputs;
}

/** Labels by which an interrupted run's containers are taken back. */
export function ownerLabels(stack: string): Properties[] {
  return [
    { label: "pgroundwork.project", value: "stand-in-tests" },
    { label: "pgroundwork.stack", value: stack },
  ];
}
