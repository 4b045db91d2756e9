import { existsSync } from "node:fs";
import { delimiter, dirname, join, resolve } from "node:path";
import { absoluteBackendUrl } from "./backend-url.ts";
import { compileCacheFolder } from "./cache-folder.mjs";
import { type FoundEngine, type FoundLanguageHost, isFirstOnPath } from "./find-engine.ts";
import { cloneHome, userHome, type Variables } from "./locations.ts";
import { pathFolders } from "./path-search.ts";
import type { PluginChoice } from "./plugin-choice.ts";
import { needsCloneHome } from "./plugin-home.ts";

export interface EnvironmentInput {
  /** Project directory. */
  root: string;
  env: Variables;
  engine: FoundEngine;
  languageHost: FoundLanguageHost;
  plugins: readonly PluginChoice[];
}

/**
 * Returns the variables for the engine, in addition to the process's own. PATH is complete. A stack's passphrase is not
 * included.
 */
export function engineEnvironment(input: EnvironmentInput): Record<string, string> {
  const { root, env } = input;
  return {
    PATH: [...new Set([...enginePath(input), ...pathFolders(env)])].join(delimiter),
    PULUMI_SKIP_UPDATE_CHECK: "true",
    // The program and every plugin are a Node process each. Compiled code on disk saves a quarter of the time of an
    // operation without changes.
    NODE_COMPILE_CACHE: env.NODE_COMPILE_CACHE ?? compileCacheFolder(env),
    ...homeVariables(input),
    // Read by the program, because some stacks refuse fallback providers. Empty instead of absent, to replace an
    // earlier value in the shell.
    PGW_FALLBACK_PROVIDERS: fallbackProviders(input).join(","),
    ...backendVariables(root, env),
  };
}

/**
 * Returns the folders that come first on PATH. The first contains the project's pinned Node, which the language host
 * starts as `node`. Then come the engine and its language host, unless they are found on PATH anyway.
 */
export function enginePath({ root, env, engine, languageHost }: EnvironmentInput): string[] {
  const folders = [join(root, "node_modules", ".bin")];
  const isUsersOwn = engine.source === "path" && languageHost.source === "path" && isFirstOnPath(engine.path, env);
  if (!isUsersOwn) folders.push(dirname(engine.path), dirname(languageHost.path));
  return [...new Set(folders)];
}

function homeVariables({ root, env, plugins }: EnvironmentInput): Record<string, string> {
  if (!needsCloneHome(plugins)) {
    // A shell that ran `engine env` while a fallback provider was needed returns to the user's home.
    const isStale = env.PULUMI_HOME !== undefined && resolve(env.PULUMI_HOME) === resolve(cloneHome(root));
    return isStale ? { PULUMI_HOME: userHome(root, env) } : {};
  }
  const home = { PULUMI_HOME: cloneHome(root), PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true" };
  // The login stays the user's, for stacks whose backend needs one.
  const login = userHome(root, env);
  const hasLogin = env.PULUMI_CREDENTIALS_PATH === undefined && existsSync(join(login, "credentials.json"));
  return hasLogin ? { ...home, PULUMI_CREDENTIALS_PATH: login } : home;
}

function fallbackProviders({ plugins }: EnvironmentInput): string[] {
  return plugins.filter(({ use }) => use === "fallback").map(({ name }) => name);
}

function backendVariables(root: string, env: Variables): Record<string, string> {
  if (env.PULUMI_BACKEND_URL) return {};
  const url = absoluteBackendUrl(root);
  return url === undefined ? {} : { PULUMI_BACKEND_URL: url };
}
