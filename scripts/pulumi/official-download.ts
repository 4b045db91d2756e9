import { join } from "node:path";
import { OperationError } from "../core/operation-error.ts";
import { checkEngine } from "./binary-check.ts";
import type { Variables } from "./locations.ts";
import { isExecutableFile } from "./path-search.ts";
import { isOffline, throughProxies, whyUnreachable } from "./reachability.ts";
import { downloadPlatform, engineVersion } from "./versions.ts";

/** Host of the official distribution. */
export const downloadHost = "https://get.pulumi.com";

/** Time limit of the download in ms, for about 150 MB over a slow line. After it the next way is tried. */
const downloadLimitMs = 15 * 60_000;

export interface DownloadOptions {
  env: Variables;
  /** Replaces {@link downloadHost} in tests of its reachability. */
  host?: string;
}

/**
 * Returns the reason why the official distribution cannot be downloaded now; undefined if it can. Answers within
 * seconds.
 */
export async function whyNoDownload({ env, host = downloadHost }: DownloadOptions): Promise<string | undefined> {
  if (isOffline(env)) return "PGW_OFFLINE is set";
  const archive = `${host}/releases/sdk/pulumi-v${engineVersion}-${downloadPlatform("engine")}.tar.gz`;
  return throughProxies(env, () => whyUnreachable(archive, (status) => status < 400));
}

/**
 * Downloads the official distribution (engine and language hosts) to `<staging>/bin` by Pulumi's own installer.
 *
 * @throws OperationError with the reason, for the list of failed attempts
 */
export async function downloadEngine(staging: string, env: Variables): Promise<void> {
  const [{ PulumiCommand }, { SemVer }] = await Promise.all([
    import("@pulumi/pulumi/automation/index.js"),
    import("semver"),
  ]);
  const limit = new AbortController();
  try {
    await throughProxies(env, () =>
      Promise.race([
        PulumiCommand.install({ root: staging, version: new SemVer(engineVersion) }),
        rejectAfter(downloadLimitMs, limit.signal),
      ]),
    );
  } catch (error) {
    throw new OperationError(`the installer failed: ${lastLine(error)}`, { cause: error });
  } finally {
    limit.abort();
  }
  const answer = await checkEngine(join(staging, "bin", "pulumi"), env);
  if ("fault" in answer) throw new OperationError(answer.fault);
  if (answer.version !== engineVersion)
    throw new OperationError(`got version ${answer.version} instead of ${engineVersion}`);
  if (!isExecutableFile(join(staging, "bin", "pulumi-language-nodejs"))) {
    throw new OperationError("the distribution contains no pulumi-language-nodejs");
  }
}

function rejectAfter(ms: number, signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const timer = setTimeout(() => reject(new Error(`not done within ${ms / 60_000} min`)), ms);
    signal.addEventListener("abort", () => clearTimeout(timer));
  });
}

function lastLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.trim().split("\n").at(-1) ?? "";
}
