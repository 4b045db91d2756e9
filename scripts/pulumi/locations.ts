import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { cacheFolder } from "./cache-folder.mjs";
import { engineVersion, languageHostVersion, platformName } from "./versions.ts";

/** Variables of a process, as in `process.env`. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** Returns the cache folder of the kit's engine version, downloaded or built. Its binaries are in `bin/`. */
export function engineFolder(env: Variables): string {
  return join(cacheFolder(env), "engine", `${engineVersion}-${platformName()}`);
}

/** Returns the cache folder of a language host that was built alone, for an engine on PATH that has none. */
export function languageHostFolder(env: Variables): string {
  return join(cacheFolder(env), "language-host", `${languageHostVersion}-${platformName()}`);
}

/** Returns the project directory's own PULUMI_HOME, used while a fallback provider is needed. */
export function cloneHome(root: string): string {
  return join(root, ".pgroundwork", "home");
}

/**
 * Returns the user's own PULUMI_HOME, with the login and the plugins. In a shell that ran `engine env`, PULUMI_HOME can
 * be the project directory's; then it is ignored.
 */
export function userHome(root: string, env: Variables): string {
  const named = env.PULUMI_HOME;
  if (named && resolve(named) !== resolve(cloneHome(root))) return resolve(named);
  return join(home(env), ".pulumi");
}

function home(env: Variables): string {
  return env.HOME || homedir();
}
