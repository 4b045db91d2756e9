import { closeSync, existsSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { cloneHome, userHome, type Variables } from "./locations.ts";
import { findOnPath, isExecutableFile } from "./path-search.ts";
import type { ProviderPackage } from "./provider-packages.ts";

/** Which plugin runs for a provider, and why. */
export interface PluginChoice extends ProviderPackage {
  use: "official" | "stand-in" | "missing";
  reason: string;
  /** The official binary, or the stand-in's program. */
  path?: string;
}

/** What the machine holds for one plugin. */
export interface PluginFindings {
  /** Taken by the engine before any installed one. */
  onPath?: string | undefined;
  installed?: string | undefined;
  standIn?: string | undefined;
  /** Why the official one could not be downloaded, when that was tried. */
  downloadFault?: string | undefined;
}

/** The official plugin where there is one, else the stand-in, else nothing. */
export function choosePlugin(plugin: ProviderPackage, findings: PluginFindings): PluginChoice {
  const { onPath, installed, standIn, downloadFault } = findings;
  if (onPath !== undefined) return { ...plugin, use: "official", reason: "found on PATH", path: onPath };
  if (installed !== undefined) return { ...plugin, use: "official", reason: "installed", path: installed };
  const why =
    downloadFault === undefined ? "the official plugin is not installed" : `no official plugin: ${downloadFault}`;
  if (standIn !== undefined) return { ...plugin, use: "stand-in", reason: why, path: standIn };
  return { ...plugin, use: "missing", reason: `${why}, and the kit has no stand-in for it` };
}

/** Looks for the plugin's official binary and stand-in by file checks only. */
export function findPlugin(plugin: ProviderPackage, root: string, env: Variables): PluginFindings {
  const ambient = isTrue(env.PULUMI_IGNORE_AMBIENT_PLUGINS) ? undefined : findOnPath(pluginFileName(plugin), env);
  const standIn = standInProgram(plugin, root);
  return {
    onPath: ambient !== undefined && !isLauncher(ambient) ? ambient : undefined,
    installed: [userHome(root, env), cloneHome(root)].map((home) => officialIn(home, plugin)).find(Boolean),
    standIn: existsSync(standIn) ? standIn : undefined,
  };
}

/** `pulumi-resource-postgresql`, the name by which the engine starts a plugin. */
export function pluginFileName(plugin: ProviderPackage): string {
  return `pulumi-resource-${plugin.name}`;
}

/** The folder of an installed plugin in a PULUMI_HOME. */
export function pluginFolder(home: string, plugin: ProviderPackage): string {
  return join(home, "plugins", `resource-${plugin.name}-v${plugin.version}`);
}

/** The clone's stand-in, there or not. */
export function standInProgram(plugin: ProviderPackage, root: string): string {
  return join(root, "infra", "airgap", plugin.name, "main.ts");
}

/** First line of a stand-in's launcher after `#!/bin/sh`: tells it from an official binary wherever it was copied to. */
export const launcherMark = "# pgroundwork stand-in for an official provider plugin";

function officialIn(home: string, plugin: ProviderPackage): string | undefined {
  const folder = pluginFolder(home, plugin);
  const path = join(folder, pluginFileName(plugin));
  // The engine marks an installation under way by this file and passes over the folder meanwhile.
  const isWhole = isExecutableFile(path) && !existsSync(`${folder}.partial`);
  return isWhole && !isLauncher(path) ? path : undefined;
}

/** Whether the file is the kit's own launcher. */
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
