import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { readFileIfThere } from "../core/atomic-file.ts";

/**
 * Returns the project's backend as an absolute URL if Pulumi.yaml names a folder relative to itself. The engine
 * resolves such a path against its working directory and does not decode it: a `#`, `?` or `%` in the path of the
 * project directory breaks it. Undefined for any other backend, which the engine reads itself.
 */
export function absoluteBackendUrl(root: string): string | undefined {
  // A project without a program can install the engine, too.
  const named = projectBackend(readFileIfThere(join(root, "Pulumi.yaml")) ?? "");
  const relative = named?.match(/^file:\/\/(?![/~])([^?]+)$/)?.[1];
  return relative === undefined ? undefined : pathToFileURL(resolve(root, relative)).href;
}

/** Returns `backend.url` of a Pulumi.yaml, in block or flow style. */
export function projectBackend(yaml: string): string | undefined {
  const match = /^backend:\s*(?:\{\s*|\n\s+)url:\s*(?:"([^"\n]*)"|'([^'\n]*)'|([^\s}#]+))/m.exec(yaml);
  return match?.[1] ?? match?.[2] ?? match?.[3];
}
