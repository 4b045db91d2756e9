import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { absoluteBackendUrl } from "../pulumi/backend-url.ts";
import { backendVariable, withBackend } from "./backend.ts";
import type { Stack } from "./stack.ts";

/**
 * Finds the folder (`.pulumi`) in which the engine keeps a stack's state, if it is on this machine.
 *
 * @returns undefined if the state is kept elsewhere (a bucket, Pulumi Cloud), or if the engine's login decides
 */
export function stateFolder(stack: Stack, env: NodeJS.ProcessEnv): string | undefined {
  return stateFolderOf(backendVariable(stack), env, stack.root);
}

/** Finds the same folder for callers that have no engine: from PULUMI_BACKEND_URL, else from Pulumi.yaml. */
export function declaredStateFolder(root: string, stack: string, env: NodeJS.ProcessEnv): string | undefined {
  const { PULUMI_BACKEND_URL: url } = withBackend(root, stack, env);
  return stateFolderOf(url || absoluteBackendUrl(root), env, root);
}

/** Finds the same folder by the URL of a backend. */
export function stateFolderOf(url: string | undefined, env: NodeJS.ProcessEnv, root: string): string | undefined {
  if (!url?.startsWith("file://")) return undefined;
  return join(folderOf(url, env, root), ".pulumi");
}

/**
 * Resolves the path of a file URL. The engine also accepts `file://~` and `file://./folder`, and ignores parameters in
 * the path.
 */
function folderOf(url: string, env: NodeJS.ProcessEnv, root: string): string {
  const path = url.slice("file://".length).replace(/\?.*$/, "");
  if (path.startsWith("/")) return fileURLToPath(`file://${path}`);
  if (path === "~" || path.startsWith("~/")) return join(env.HOME || homedir(), path.slice(1));
  return resolve(root, path);
}
