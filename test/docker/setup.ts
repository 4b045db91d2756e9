import type { TestProject } from "vitest/node";
import { withDocker } from "../../scripts/docker/client.ts";
import { DockerUnreachable } from "../../scripts/docker/docker-error.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Why tests that need a Docker engine are skipped; empty: they run. */
    dockerSkipped: string;
  }
}

/**
 * Whether a Docker engine answers. On a machine without one its tests are skipped, and the run says why. In CI they run all the same and fail: there
 * an engine is promised.
 */
export default async function setup(project: TestProject): Promise<void> {
  const reason = process.env.CI ? "" : await unreachable();
  if (reason !== "") process.stderr.write(`Docker tests are skipped: ${reason}\n`);
  project.provide("dockerSkipped", reason);
}

async function unreachable(): Promise<string> {
  try {
    await withDocker(undefined, (docker) => docker.ping());
    return "";
  } catch (error) {
    if (error instanceof DockerUnreachable) return error.message;
    throw error;
  }
}
