import { closeSync, existsSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { isInstalled, kitFolder } from "../core/kit-folder.ts";
import { cloneHome, userHome, type Variables } from "./locations.ts";
import { findOnPath, isExecutableFile } from "./path-search.ts";
import type { ProviderPackage } from "./provider-packages.ts";

/** The plugin used for a provider, and the reason. */
export interface PluginChoice extends ProviderPackage {
  use: "official" | "fallback" | "missing";
  reason: string;
  /** Path of the official binary, or of the fallback provider's program. */
  path?: string;
}

/** Candidates on this machine for one plugin. */
export interface PluginFindings {
  /** The engine prefers it to any installed one. */
  onPath?: string | undefined;
  installed?: string | undefined;
  fallbackProvider?: string | undefined;
  /** Reason of the failed download, if one was tried. */
  downloadFault?: string | undefined;
}

/** Chooses the official plugin if there is one, else the fallback provider, else none. */
export function choosePlugin(plugin: ProviderPackage, findings: PluginFindings): PluginChoice {
  const { onPath, installed, fallbackProvider, downloadFault } = findings;
  if (onPath !== undefined) return { ...plugin, use: "official", reason: "found on PATH", path: onPath };
  if (installed !== undefined) return { ...plugin, use: "official", reason: "installed", path: installed };
  const why =
    downloadFault === undefined ? "the official plugin is not installed" : `no official plugin: ${downloadFault}`;
  if (fallbackProvider !== undefined) return { ...plugin, use: "fallback", reason: why, path: fallbackProvider };
  return { ...plugin, use: "missing", reason: `${why}, and there is no fallback provider for it` };
}

/** Looks for the plugin's official binary and its fallback provider, by file checks only. */
export function findPlugin(plugin: ProviderPackage, root: string, env: Variables): PluginFindings {
  const ambient = isTrue(env.PULUMI_IGNORE_AMBIENT_PLUGINS) ? undefined : findOnPath(pluginFileName(plugin), env);
  const fallbackProvider = fallbackProviderProgram(plugin, root);
  return {
    onPath: ambient !== undefined && !isLauncher(ambient) ? ambient : undefined,
    installed: [userHome(root, env), cloneHome(root)].map((home) => officialIn(home, plugin)).find(Boolean),
    fallbackProvider: existsSync(fallbackProvider) ? fallbackProvider : undefined,
  };
}

/** Returns the file name by which the engine starts a plugin: `pulumi-resource-postgresql`. */
export function pluginFileName(plugin: ProviderPackage): string {
  return `pulumi-resource-${plugin.name}`;
}

/** Returns the folder of an installed plugin in a PULUMI_HOME. */
export function pluginFolder(home: string, plugin: ProviderPackage): string {
  return join(home, "plugins", `resource-${plugin.name}-v${plugin.version}`);
}

/** Returns the path of the kit's fallback provider, which need not exist. */
export function fallbackProviderProgram(plugin: ProviderPackage, root: string): string {
  if (isInstalled) return join(kitFolder, "dist", `fallback-${plugin.name}.mjs`);
  return join(root, "infra", "fallback-providers", plugin.name, "main.ts");
}

/**
 * Second line of a fallback provider's launcher, after `#!/bin/sh`. It distinguishes a launcher from an official
 * binary, even after it was copied.
 */
export const launcherMark = "# pgroundwork stand-in for an official provider plugin";

function officialIn(home: string, plugin: ProviderPackage): string | undefined {
  const folder = pluginFolder(home, plugin);
  const path = join(folder, pluginFileName(plugin));
  // The engine creates this file while it installs a plugin, and skips the folder meanwhile.
  const isWhole = isExecutableFile(path) && !existsSync(`${folder}.partial`);
  return isWhole && !isLauncher(path) ? path : undefined;
}

/** Returns true if the file is one of the kit's own launchers. */
export function isLauncher(path: string): boolean {
  const start = Buffer.alloc(200);
  const file = openSync(path, "r");
  try {
    readSync(file, start, 0, start.length, 0);
  } finally {
    closeSync(file);
  }
  return start.includes(launcherMark);
}

function isTrue(value: string | undefined): boolean {
  return value === "true" || value === "1";
}
