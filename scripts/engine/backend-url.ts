import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

/**
 * The project's backend as an absolute URL, when Pulumi.yaml names a folder relative to itself. The engine takes such
 * a path relative to the folder where it is started, and as it stands: a `#`, `?` or `%` in the clone's path breaks it.
 * Undefined for any other backend, which the engine reads itself.
 */
export function absoluteBackendUrl(root: string): string | undefined {
  const named = projectBackend(readFileSync(join(root, "Pulumi.yaml"), "utf8"));
  const relative = named?.match(/^file:\/\/(?![/~])([^?]+)$/)?.[1];
  return relative === undefined ? undefined : pathToFileURL(resolve(root, relative)).href;
}

/** `backend.url` of a Pulumi.yaml, in block or flow style. */
export function projectBackend(yaml: string): string | undefined {
  const match = /^backend:\s*(?:\{\s*|\n\s+)url:\s*(?:"([^"\n]*)"|'([^'\n]*)'|([^\s}#]+))/m.exec(yaml);
  return match?.[1] ?? match?.[2] ?? match?.[3];
}
