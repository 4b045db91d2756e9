import type Docker from "dockerode";
import { z } from "zod";
import type { BackupLocation } from "../backup/location.ts";
import type { StackBackups } from "../backup/stack-backups.ts";
import { exitCode, OperationError } from "../core/operation-error.ts";
import { withDocker } from "../docker/client.ts";

const text = z.string().min(1);
const seconds = z.number().positive();

const schema = z.object({
  dockerHost: text.optional(),
  owner: z.object({ project: text, stack: text, owner: text }),
  container: text,
  server: text,
  image: text,
  volumes: z.object({ repository: text, configuration: text, data: text }),
  configurationFile: text.optional(),
  network: text.optional(),
  repository: z.number().optional(),
  schedule: z.object({ full: text, incremental: text }),
  drill: z
    .object({
      schedule: text,
      maxAgeSeconds: seconds,
      checks: z.boolean(),
      required: z.boolean(),
      sidecar: z.boolean(),
    })
    .optional(),
  drillContainer: text.optional(),
  objectives: z.object({ rtoSeconds: seconds.exactOptional(), rpoSeconds: seconds.exactOptional() }).optional(),
});

/**
 * Runs work with the Docker engine of a location, which a program may have read from a file.
 *
 * @throws OperationError (wrong usage) if it is no location
 */
export async function withBackups<T>(
  location: BackupLocation,
  work: (docker: Docker, backups: StackBackups) => Promise<T>,
): Promise<T> {
  const { success, data, error } = schema.safeParse(location);
  if (!success) {
    const wrong = [...new Set(error.issues.map(({ path }) => path.join(".") || "all of it"))];
    throw new OperationError(`The location of the backups is not valid: ${wrong.join(", ")}.`, {
      hint: "Use the output `location` of the component Backups, or what `pgw backup location` prints.",
      exitCode: exitCode.usage,
    });
  }
  const { dockerHost, ...backups } = data;
  return withDocker(dockerHost, (docker) => work(docker, backups));
}
