import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { cacheFolder } from "./cache-folder.mjs";
import { engineVersion, languageHostVersion, platformName } from "./versions.ts";

/** Variables of a process, as in `process.env`. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** Where the engine of the kit's version lies once it was downloaded or built; its binaries are in `bin/`. */
export function engineFolder(env: Variables): string {
  return join(cacheFolder(env), "engine", `${engineVersion}-${platformName()}`);
}

/** Where a language host lies that was built alone, for an engine on PATH that came without one. */
export function languageHostFolder(env: Variables): string {
  return join(cacheFolder(env), "language-host", `${languageHostVersion}-${platformName()}`);
}

/** The clone's own PULUMI_HOME, used while a stand-in plugin is needed. */
export function cloneHome(root: string): string {
  return join(root, ".pgroundwork", "home");
}

/**
 * The user's own PULUMI_HOME (their login, their plugins). A shell that took `engine env` carries the clone's home in
 * that variable; it is not the user's.
 */
export function userHome(root: string, env: Variables): string {
  const named = env.PULUMI_HOME;
  if (named && resolve(named) !== resolve(cloneHome(root))) return resolve(named);
  return join(home(env), ".pulumi");
}

function home(env: Variables): string {
  return env.HOME || homedir();
}
