import { cacheFolder } from "./cache-folder.mjs";
import { type EngineSource, findEngine } from "./find-engine.ts";
import { cloneHome, userHome, type Variables } from "./locations.ts";
import { choosePlugin, findPlugin, type PluginChoice } from "./plugin-choice.ts";
import { rememberedFault } from "./plugin-download-memory.ts";
import { needsCloneHome } from "./plugin-home.ts";
import { providerPackages } from "./provider-packages.ts";
import { compatibleEngines } from "./versions.ts";

/** State of one binary of the engine. */
export type ComponentStatus =
  | { state: "present"; source: EngineSource; path: string }
  | { state: "absent"; hint: string };

export interface EngineStatus {
  engine: ComponentStatus & { version?: string };
  /** Range of engine versions that the kit works with. */
  compatible: string;
  languageHost: ComponentStatus;
  plugins: PluginChoice[];
  /** PULUMI_HOME that commands use. */
  home: string;
  cache: string;
  /** Candidates that were rejected, each with the reason. */
  rejected: string[];
}

const hint = "`npm run pgw -- engine install` downloads it, or builds it from Go modules where downloads are blocked";

/**
 * Returns the engine and plugins that a command would use now. Downloads and builds nothing, and writes nothing except
 * remembered versions.
 */
export async function engineStatus(root: string, env: Variables = process.env): Promise<EngineStatus> {
  const { engine, languageHost, rejected } = await findEngine(env);
  const plugins = providerPackages(root).map((plugin) =>
    choosePlugin(plugin, { ...findPlugin(plugin, root, env), downloadFault: rememberedFault(plugin, env) }),
  );
  return {
    engine: engine === undefined ? { state: "absent", hint } : { state: "present", ...engine },
    compatible: compatibleEngines,
    languageHost: languageHost === undefined ? { state: "absent", hint } : { state: "present", ...languageHost },
    plugins,
    home: needsCloneHome(plugins) ? cloneHome(root) : userHome(root, env),
    cache: cacheFolder(env),
    rejected,
  };
}
