import { join } from "node:path";
import { OperationError } from "../core/operation-error.ts";
import { checkEngine, checkLanguageHost } from "./binary-check.ts";
import { withCacheLock } from "./cache-lock.ts";
import { type CompleteEngine, findEngine, isComplete } from "./find-engine.ts";
import { buildBinary, engineBinary, type GoBinary, languageHostBinary, requiredGo, whyNoBuild } from "./go-build.ts";
import { engineFolder, languageHostFolder, type Variables } from "./locations.ts";
import { downloadEngine, whyNoDownload } from "./official-download.ts";
import { type OnProgress, reporting } from "./progress.ts";
import { installStaged, removeLeftovers } from "./staged-install.ts";
import { compatibleEngines, engineVersion, languageHostVersion, platformName } from "./versions.ts";

export interface InstallOptions {
  env: Variables;
  onProgress: OnProgress;
  signal?: AbortSignal | undefined;
}

/**
 * Installs the missing binaries into the cache: by the official download, else by a build from Go modules. If several
 * processes call it, one installs and the others wait for its result.
 *
 * @throws OperationError that lists all attempts, each with its reason
 */
export function installEngine(options: InstallOptions): Promise<CompleteEngine> {
  return withCacheLock(options, async () => {
    const before = await findEngine(options.env);
    if (isComplete(before)) return before;
    removeLeftovers(options.env);
    options.onProgress({ step: "no usable Pulumi engine found", elapsedMs: 0, detail: before.rejected.join("; ") });
    const tried = before.engine === undefined ? await installAll(options) : await installLanguageHost(options);
    const after = await findEngine(options.env);
    if (isComplete(after)) return after;
    throw noEngine([...(tried.length === 0 ? after.rejected : before.rejected), ...tried], before.engine !== undefined);
  });
}

/** Installs both binaries. Returns the reasons of the failed attempts, or an empty list if one succeeded. */
async function installAll(options: InstallOptions): Promise<string[]> {
  const download = await tryDownload(options);
  if (download === undefined) return [];
  const build = await tryBuild([engineBinary, languageHostBinary], engineFolder(options.env), engineVersion, options);
  return build === undefined ? [] : [download, build];
}

/** Installs the language host for an engine on PATH. The official one exists only as part of the whole distribution. */
async function installLanguageHost(options: InstallOptions): Promise<string[]> {
  const download = await tryDownload(options);
  if (download === undefined) return [];
  const folder = languageHostFolder(options.env);
  const build = await tryBuild([languageHostBinary], folder, languageHostVersion, options);
  return build === undefined ? [] : [download, build];
}

async function tryDownload(options: InstallOptions): Promise<string | undefined> {
  const { env, onProgress } = options;
  const reason = await whyNoDownload({ env });
  if (reason !== undefined) {
    onProgress({ step: "the official download is unreachable", elapsedMs: 0, detail: reason });
    return `download: ${reason}`;
  }
  const names = [engineBinary.name, languageHostBinary.name];
  const target = { folder: engineFolder(env), version: engineVersion, source: "download", names } as const;
  return reasonOf("download", () =>
    reporting(`downloading the Pulumi engine ${engineVersion}`, onProgress, () =>
      installStaged(target, env, (staging) => downloadEngine(staging, env)),
    ),
  );
}

async function tryBuild(
  binaries: readonly GoBinary[],
  folder: string,
  version: string,
  { env, onProgress, signal }: InstallOptions,
): Promise<string | undefined> {
  const reason = await whyNoBuild(binaries, env);
  if (reason !== undefined) return `build: ${reason}`;
  const names = binaries.map((binary) => binary.name);
  return reasonOf("build", () =>
    installStaged({ folder, version, source: "build", names }, env, async (staging) => {
      for (const binary of binaries) {
        const step = `building ${binary.name} ${binary.module.version} from Go modules (once per machine)`;
        await reporting(step, onProgress, (news) => buildBinary(binary, staging, env, news, signal));
        await verify(join(staging, "bin", binary.name), binary, env);
      }
    }),
  );
}

async function verify(path: string, binary: GoBinary, env: Variables): Promise<void> {
  const isEngine = binary.name === engineBinary.name;
  const answer = isEngine ? await checkEngine(path, env) : await checkLanguageHost(path, languageHostVersion, env);
  if ("fault" in answer) throw new OperationError(answer.fault);
  if (isEngine && answer.version !== engineVersion) {
    throw new OperationError(`the built engine reports version ${answer.version} instead of ${engineVersion}`);
  }
}

/**
 * Returns the reason of an expected failure, after which the next way is tried. Any other error, such as a bug of the
 * kit or a disk error, is thrown.
 */
async function reasonOf(way: string, attempt: () => Promise<void>): Promise<string | undefined> {
  try {
    await attempt();
    return undefined;
  } catch (error) {
    if (error instanceof OperationError) return `${way}: ${error.message}`;
    throw error;
  }
}

function noEngine(tried: readonly string[], hasEngine: boolean): OperationError {
  const what = hasEngine ? "No Node language host for the Pulumi engine" : `No Pulumi engine ${compatibleEngines}`;
  return new OperationError(`${what} (${platformName()}):\n${tried.map((reason) => `  - ${reason}`).join("\n")}`, {
    hint:
      "Install Pulumi so that `pulumi` and `pulumi-language-nodejs` are on PATH (https://www.pulumi.com/docs/install/), " +
      `or Go ${requiredGo(engineBinary.folder)} or newer with access to a Go module proxy, then run this again.`,
  });
}
