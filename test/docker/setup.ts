import type { TestProject } from "vitest/node";
import { withDocker } from "../../scripts/docker/client.ts";
import { DockerUnreachable } from "../../scripts/docker/docker-error.ts";
import { monitoringImage, poolerImage, postgresImage } from "./postgres-image.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Reason why tests that need a Docker engine are skipped; empty if they run. */
    dockerSkipped: string;
  }
}

/**
 * Checks if a Docker engine is reachable. If not, its tests are skipped, and the reason is printed. In CI they always
 * run, and fail without an engine: CI guarantees one.
 */
export default async function setup(project: TestProject): Promise<void> {
  const reason = process.env.CI ? "" : await unreachable();
  if (reason !== "") process.stderr.write(`Docker tests are skipped: ${reason}\n`);
  project.provide("dockerSkipped", reason);
  if (reason === "") buildImages();
}

/**
 * Builds the images while the engine of Pulumi is built. Without them, the first tests would build each several times
 * at once. A failure is reported by the first test that needs the image: it tries again.
 */
function buildImages(): void {
  for (const image of [postgresImage, monitoringImage, poolerImage]) image().catch(() => {});
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
