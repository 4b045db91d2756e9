import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { OperationError } from "../core/operation-error.ts";

/**
 * Reads the project's name, which is part of the engine's paths.
 *
 * @param root project directory
 * @throws OperationError if Pulumi.yaml has no name
 */
export async function projectName(root: string): Promise<string> {
  const file = join(root, "Pulumi.yaml");
  const { parse } = await import("yaml");
  const { name } = (parse(await readFile(file, "utf8")) ?? {}) as { name?: unknown };
  if (typeof name === "string") return name;
  throw new OperationError(`${file} has no project name (name: …).`);
}
