import type { PulumiFn } from "@pulumi/pulumi/automation/index.js";
import { version } from "../../../../../infra/fallback-providers/postgresql/plugin.ts";
import { startStack as startAnyStack, type TestStack } from "../../../../fallback-provider-stack.ts";

export type { TestStack } from "../../../../fallback-provider-stack.ts";

export const projectName = "probe-pg";
export const stackName = "dev";

/** Starts a stack under the real engine. Its only plugin is the fallback provider. */
export function startStack(program: PulumiFn): Promise<TestStack> {
  return startAnyStack({ projectName, stackName, fallbackProviders: [{ name: "postgresql", version }], program });
}
