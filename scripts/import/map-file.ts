import { readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { unlessAbsent } from "../core/absent.ts";
import { exitCode, OperationError } from "../core/operation-error.ts";
import type { ImportMap } from "./map.ts";
import { parseMap } from "./parse-map.ts";

/** Endings of maps, in the order in which they are looked for. */
const endings = ["ts", "mjs", "json"];

/**
 * Reads a map: the named file, or `import/<kind>.ts`, `.mjs` or `.json` in the database's folder.
 *
 * @throws OperationError (wrong usage) if there is none, or it is not valid
 */
export async function readMap(named: string | undefined, folder: string, kind: "sqlite" | "json"): Promise<ImportMap> {
  const path = named === undefined ? await findMap(folder, kind) : resolve(named);
  if (!(await unlessAbsent(stat(path))))
    throw new OperationError(`The map ${path} does not exist.`, { hint: "Correct --map.", exitCode: exitCode.usage });
  return parseMap(await load(path), path);
}

async function findMap(folder: string, kind: string): Promise<string> {
  const paths = endings.map((ending) => join(folder, "import", `${kind}.${ending}`));
  for (const path of paths) if (await unlessAbsent(stat(path))) return path;
  throw new OperationError(`${folder} has no map for ${kind}: import/${kind}.ts, .mjs or .json.`, {
    hint: "Let --infer propose one (with --create also the tables), write one, or name one with --map. `migrations/README.md` describes maps.",
    exitCode: exitCode.usage,
  });
}

async function load(path: string): Promise<unknown> {
  const failing = (error: unknown): never => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new OperationError(`The map ${path} cannot be read: ${reason}`, { exitCode: exitCode.usage, cause: error });
  };
  if (path.endsWith(".json")) return readFile(path, "utf8").then(JSON.parse).catch(failing);
  const module = await import(pathToFileURL(path).href).catch(failing);
  if (module.default !== undefined) return module.default;
  return failing(new Error("it has no default export"));
}
