import type { PulumiFn } from "@pulumi/pulumi/automation/index.js";
import { version } from "../../../../../infra/airgap/postgresql/plugin.ts";
import { startStack as startAnyStack, type TestStack } from "../../../../stand-in-stack.ts";

export type { TestStack } from "../../../../stand-in-stack.ts";

export const projectName = "probe-pg";
export const stackName = "dev";

/** A stack under the real engine, with the stand-in as its only plugin. */
export function startStack(program: PulumiFn): Promise<TestStack> {
  return startAnyStack({ projectName, stackName, standIns: [{ name: "postgresql", version }], program });
}
