import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import type { Variables } from "./locations.ts";

/** Returns all executables with a name on PATH, in the order of PATH. */
export function allOnPath(name: string, env: Variables): string[] {
  return pathFolders(env)
    .map((folder) => join(folder, name))
    .filter(isExecutableFile);
}

/** Returns the first executable with a name on PATH. */
export function findOnPath(name: string, env: Variables): string | undefined {
  return pathFolders(env)
    .map((folder) => join(folder, name))
    .find(isExecutableFile);
}

/** Returns the folders of PATH. An empty entry, which means the current folder to a shell, is left out. */
export function pathFolders(env: Variables): string[] {
  return (env.PATH ?? "")
    .split(delimiter)
    .filter((folder) => folder !== "")
    .map((folder) => resolve(folder));
}

/** Returns true for a regular file, or a link to one, that this user may execute. */
export function isExecutableFile(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    // Whatever the cause, the engine could not start it either. A search on PATH skips such entries.
    return false;
  }
}
