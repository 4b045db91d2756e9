import type { Properties } from "../../../../../infra/plugin/values.ts";
import { StandInProcess } from "../../../../stand-in-process.ts";

export { declared, type Made } from "../../../../stand-in-process.ts";

/** What every engine of the tests has. */
export const image = "debian:trixie-slim";

/** The stand-in for the docker provider, on the tests' engine unless its configuration says otherwise. */
export function startDockerStandIn(
  config: Properties = {},
  secretKeys: readonly string[] = ["envs", "uploads"],
): Promise<StandInProcess> {
  return new StandInProcess({ name: "docker", config, secretKeys }).started();
}

/** Labels by which an interrupted run's containers are taken back. */
export function ownerLabels(stack: string): Properties[] {
  return [
    { label: "pgroundwork.project", value: "stand-in-tests" },
    { label: "pgroundwork.stack", value: stack },
  ];
}
