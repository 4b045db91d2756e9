import { engineEnvironment, enginePath } from "./environment.ts";
import { type CompleteEngine, type EngineSource, findEngine, isComplete } from "./find-engine.ts";
import type { InstallOptions } from "./install-engine.ts";
import type { Variables } from "./locations.ts";
import { ensurePassphrase, namesPassphrase } from "./passphrase.ts";
import { choosePlugin, findPlugin, type PluginChoice } from "./plugin-choice.ts";
import { rememberedFault } from "./plugin-download-memory.ts";
import { fillCloneHome, needsCloneHome } from "./plugin-home.ts";
import { type OnProgress, reporting } from "./progress.ts";
import { providerPackages } from "./provider-packages.ts";

export interface EnsureOptions {
  /** The clone. */
  root: string;
  /** Default: the process's own. `PGW_OFFLINE=1` in it keeps this off the network. */
  env?: Variables;
  onProgress?: OnProgress;
  /** Ends a build or a wait. */
  signal?: AbortSignal;
  /** Tries again to download official plugins whose download failed within the last hour. */
  retryPlugins?: boolean;
}

/** An engine that is ready to run the kit's program. */
export interface EngineInstallation {
  /** The `pulumi` executable. */
  pulumi: string;
  /** The `pulumi-language-nodejs` executable. */
  languageHost: string;
  version: string;
  source: EngineSource;
  plugins: PluginChoice[];
  /** Variables to run the engine with, besides the process's own; PATH is whole. */
  environment: Record<string, string>;
  /** The folders that `environment.PATH` puts before the process's own. */
  pathPrefix: string[];
}

/**
 * Finds the engine, or downloads or builds it, and prepares plugins, passphrase and variables. Quick and without
 * network where everything is there.
 *
 * @throws OperationError when there is no way to an engine on this machine, with each way and its reason
 */
export async function ensureEngine(options: EnsureOptions): Promise<EngineInstallation> {
  const { root, env = process.env, onProgress = () => undefined, signal } = options;
  const lookup = await findEngine(env);
  const found = isComplete(lookup) ? lookup : await install({ env, onProgress, signal });
  const plugins = await ensurePlugins(found, { ...options, env, onProgress });
  if (needsCloneHome(plugins)) fillCloneHome(root, plugins);
  if (!namesPassphrase(env)) ensurePassphrase(root);
  const input = { root, env, engine: found.engine, languageHost: found.languageHost, plugins };
  return {
    pulumi: found.engine.path,
    languageHost: found.languageHost.path,
    version: found.engine.version,
    source: found.engine.source,
    plugins,
    environment: engineEnvironment(input),
    pathPrefix: enginePath(input),
  };
}

/** What installs is loaded on a machine's first run only. */
async function install(options: InstallOptions): Promise<CompleteEngine> {
  const { installEngine } = await import("./install-engine.ts");
  return installEngine(options);
}

function ensurePlugins(
  { engine }: CompleteEngine,
  { root, env, onProgress, retryPlugins = false }: EnsureOptions & { env: Variables; onProgress: OnProgress },
): Promise<PluginChoice[]> {
  return Promise.all(
    providerPackages(root).map(async (plugin) => {
      const now = choosePlugin(plugin, findPlugin(plugin, root, env));
      if (now.use === "official") return now;
      const known = retryPlugins ? undefined : rememberedFault(plugin, env);
      if (known !== undefined) return choosePlugin(plugin, { ...findPlugin(plugin, root, env), downloadFault: known });
      const { downloadPlugin } = await import("./plugin-download.ts");
      const downloadFault = await reporting(
        `fetching the official ${plugin.name} plugin ${plugin.version}`,
        onProgress,
        () => downloadPlugin(plugin, { root, env, engine: engine.path }),
      );
      return choosePlugin(plugin, { ...findPlugin(plugin, root, env), downloadFault });
    }),
  );
}
