import type { Properties } from "../../../../../infra/plugin/values.ts";
import { StandInProcess } from "../../../../stand-in-process.ts";

export { declared, type Made } from "../../../../stand-in-process.ts";

/** What every engine of the tests has. */
export const image = "debian:trixie-slim";

/** The stand-in for the docker provider, on the tests' engine; environment, uploads and builds travel as secrets. */
export function startDockerStandIn(config: Properties = {}): Promise<StandInProcess> {
  return new StandInProcess({ name: "docker", config, secretKeys: ["envs", "uploads"] }).started();
}

/** Labels by which an interrupted run's containers are taken back. */
export function ownerLabels(stack: string): Properties[] {
  return [
    { label: "pgroundwork.project", value: "stand-in-tests" },
    { label: "pgroundwork.stack", value: stack },
  ];
}
