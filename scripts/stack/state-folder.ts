import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { EngineInstallation } from "../engine/ensure-engine.ts";

/**
 * Where the engine keeps the clone's states (`.pulumi`), where it keeps them in files of this machine.
 *
 * @returns undefined: they are kept elsewhere (a bucket, Pulumi Cloud), or the engine's login says where
 */
export function stateFolder(engine: EngineInstallation, env: NodeJS.ProcessEnv, root: string): string | undefined {
  const url = engine.environment.PULUMI_BACKEND_URL ?? env.PULUMI_BACKEND_URL;
  if (!url?.startsWith("file://")) return undefined;
  return join(folderOf(url, env, root), ".pulumi");
}

/** The engine's own forms beside a plain URL: `file://~`, `file://./folder`; parameters say nothing of the place. */
function folderOf(url: string, env: NodeJS.ProcessEnv, root: string): string {
  const path = url.slice("file://".length).replace(/\?.*$/, "");
  if (path.startsWith("/")) return fileURLToPath(`file://${path}`);
  if (path === "~" || path.startsWith("~/")) return join(env.HOME || homedir(), path.slice(1));
  return resolve(root, path);
}
