import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import type { Variables } from "./locations.ts";

/** The executables of that name on PATH, in its order, as a shell would find them. */
export function allOnPath(name: string, env: Variables): string[] {
  return pathFolders(env)
    .map((folder) => join(folder, name))
    .filter(isExecutableFile);
}

/** The first executable of that name on PATH. */
export function findOnPath(name: string, env: Variables): string | undefined {
  return pathFolders(env)
    .map((folder) => join(folder, name))
    .find(isExecutableFile);
}

/** PATH's folders; an empty entry means the current folder to a shell and is passed over. */
export function pathFolders(env: Variables): string[] {
  return (env.PATH ?? "")
    .split(delimiter)
    .filter((folder) => folder !== "")
    .map((folder) => resolve(folder));
}

/** A regular file that this user may execute, links followed. */
export function isExecutableFile(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    // Whatever the cause, the engine could not start it either: a search on PATH passes over such entries.
    return false;
  }
}
