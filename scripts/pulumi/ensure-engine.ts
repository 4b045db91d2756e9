import { isInstalled } from "../core/kit-folder.ts";
import { engineEnvironment, enginePath } from "./environment.ts";
import { type CompleteEngine, type EngineSource, findEngine, isComplete } from "./find-engine.ts";
import type { InstallOptions } from "./install-engine.ts";
import { cloneHome, userHome, type Variables } from "./locations.ts";
import { installOwnPlugin } from "./own-plugin.ts";
import { choosePlugin, findPlugin, type PluginChoice } from "./plugin-choice.ts";
import { rememberedFault } from "./plugin-download-memory.ts";
import { fillCloneHome, needsCloneHome } from "./plugin-home.ts";
import { type OnProgress, reporting } from "./progress.ts";
import { providerPackages } from "./provider-packages.ts";

export interface EnsureOptions {
  /** Project directory. */
  root: string;
  /** Default: `process.env`. `PGW_OFFLINE=1` in it forbids network access. */
  env?: Variables;
  onProgress?: OnProgress;
  /** Ends a build or a wait. */
  signal?: AbortSignal;
  /** Retries downloads of official plugins that failed within the last hour. */
  retryPlugins?: boolean;
}

/** An engine that is ready to run the kit's program. */
export interface EngineInstallation {
  /** Path of the `pulumi` executable. */
  pulumi: string;
  /** Path of the `pulumi-language-nodejs` executable. */
  languageHost: string;
  version: string;
  source: EngineSource;
  plugins: PluginChoice[];
  /** Variables to run the engine with, in addition to the process's own. PATH is complete. */
  environment: Record<string, string>;
  /** Folders that `environment.PATH` puts before the process's own. */
  pathPrefix: string[];
}

/**
 * Finds the engine, or else downloads or builds it, and prepares plugins and variables. Fast and without network access
 * if everything is installed.
 *
 * @throws OperationError if no engine can be had on this machine, with each attempt and its reason
 */
export async function ensureEngine(options: EnsureOptions): Promise<EngineInstallation> {
  const { root, env = process.env, onProgress = () => undefined, signal } = options;
  const lookup = await findEngine(env);
  const found = isComplete(lookup) ? lookup : await install({ env, onProgress, signal });
  const plugins = await ensurePlugins(found, { ...options, env, onProgress });
  if (needsCloneHome(plugins)) fillCloneHome(root, plugins);
  // For operations that do not run the program, which registers the plugin itself.
  if (isInstalled) installOwnPlugin(needsCloneHome(plugins) ? cloneHome(root) : userHome(root, env));
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

/** Loads the installer only if it is needed: on a machine's first use. */
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
      const { isOffline } = await import("./reachability.ts");
      const download = () => downloadPlugin(plugin, { root, env, engine: engine.path });
      // Nothing is fetched offline, so no progress is shown.
      const downloadFault = isOffline(env)
        ? await download()
        : await reporting(`fetching the official ${plugin.name} plugin ${plugin.version}`, onProgress, download);
      return choosePlugin(plugin, { ...findPlugin(plugin, root, env), downloadFault });
    }),
  );
}
