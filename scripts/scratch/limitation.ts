import type { LiveServer } from "./live-server.ts";
import type { ScratchCluster } from "./request.ts";

/** Conditions under which a statement was tried. */
export interface Circumstances {
  live: LiveServer;
  cluster: ScratchCluster;
  /** True if the login is a superuser on the live server but not here. */
  isReduced: boolean;
}

/**
 * Returns the reason why a statement's failure proves nothing about the statement. Undefined if it would also fail on
 * the live server.
 */
export function limitation(error: unknown, { live, cluster, isReduced }: Circumstances): string | undefined {
  const { code = "", message = "" } = error as { code?: string; message?: string };
  const extension = /extension "(.+)" is not available/.exec(message)?.[1];
  if (extension !== undefined && live.availableExtensions.includes(extension) && !cluster.extensions.has(extension))
    return `the scratch cluster does not have the extension ${extension}`;
  if (isReduced && code === "42501")
    return `it needs superuser rights, which a trial on this machine does not have (${message})`;
  if (/^08/.test(code)) return `it connects to another server (${message})`;
  if (/must be loaded via .?shared_preload_libraries/.test(message))
    return `it needs a library that is not loaded (${message})`;
  if (code === "58P01") return `it needs a file of the live server's machine (${message})`;
  return undefined;
}
