import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { OperationError } from "../errors/operation-error.ts";

/**
 * The project's name, which is part of where the engine keeps things.
 *
 * @param root the clone
 * @throws OperationError where Pulumi.yaml does not say it
 */
export async function projectName(root: string): Promise<string> {
  const file = join(root, "Pulumi.yaml");
  const { parse } = await import("yaml");
  const { name } = (parse(await readFile(file, "utf8")) ?? {}) as { name?: unknown };
  if (typeof name === "string") return name;
  throw new OperationError(`${file} names no project (name: …).`);
}
