import { chmod, mkdir, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { version } from "../../../infra/fallback-providers/docker/plugin.ts";
import { findEngine } from "../../../scripts/pulumi/find-engine.ts";
import { fallbackProviderProgram, pluginFileName, pluginFolder } from "../../../scripts/pulumi/plugin-choice.ts";
import { pinnedNode } from "../../../scripts/pulumi/plugin-home.ts";
import { providerPackages } from "../../../scripts/pulumi/provider-packages.ts";
import { cloneRoot } from "../../clone-root.ts";
import type { Clone, Finished } from "../../embedded/clone.ts";

const main = fileURLToPath(new URL("main.ts", import.meta.url));

/** Installs the plugin that acts as the official docker plugin where the engine and the kit find official plugins. */
export async function installOfficialDocker(pulumiHome: string): Promise<void> {
  await installPlugin(pulumiHome, { name: "docker", version }, main);
}

/** Installs a plugin into a PULUMI_HOME, as `pulumi plugin install` does. */
export async function installPlugin(
  pulumiHome: string,
  plugin: { name: string; version: string },
  program: string,
): Promise<void> {
  const folder = pluginFolder(pulumiHome, plugin);
  const launcher = join(folder, pluginFileName(plugin));
  await mkdir(folder, { recursive: true });
  await writeFile(launcher, `#!/bin/sh\nexec "${pinnedNode(cloneRoot)}" "${program}" "$@"\n`);
  await chmod(launcher, 0o755);
}

/**
 * Returns a function that runs the user's own `pulumi` in a project directory. It is on PATH and has its own plugins
 * and a passphrase in the environment, but none of the variables that the kit's commands set.
 *
 * @param plugins plugins in its PULUMI_HOME: `docker` acts as the official one, `postgresql` is the fallback provider
 * installed as the official one
 */
export async function userOwnPulumi(
  clone: Clone,
  plugins: readonly ("docker" | "postgresql")[],
): Promise<(...args: string[]) => Promise<Finished>> {
  const { engine, languageHost } = await findEngine(process.env);
  if (engine === undefined || languageHost === undefined) throw new Error("the run's setup has left no engine");
  const home = join(clone.env.HOME ?? "", "own-pulumi");
  for (const plugin of providerPackages(cloneRoot).filter(({ name }) => (plugins as readonly string[]).includes(name)))
    await installPlugin(home, plugin, plugin.name === "docker" ? main : fallbackProviderProgram(plugin, cloneRoot));
  const folders = [engine.path, languageHost.path, pinnedNode(cloneRoot)].map((path) => dirname(path));
  const variables = `PATH="${[...new Set(folders)].join(delimiter)}:$PATH" PULUMI_HOME="${home}" PULUMI_SKIP_UPDATE_CHECK=true`;
  return async (...args) => {
    const line = `${variables} pulumi ${args.join(" ")} --non-interactive --color never`;
    const finished = await clone.shell(line);
    if (finished.code === 0) return finished;
    throw new Error(`pulumi ${args.join(" ")} ended with ${finished.code}:\n${finished.stdout}${finished.stderr}`);
  };
}
