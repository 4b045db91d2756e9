import { copyFileSync, existsSync, linkSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { isCode, readFileIfThere, writeFileAtomically } from "../core/atomic-file.ts";
import { ignoreOwnFolder } from "../core/kit-folder.ts";
import { shellQuote } from "../core/shell.ts";
import { temporaryFor } from "../core/temporary.ts";
import { cloneHome } from "./locations.ts";
import { isExecutableFile } from "./path-search.ts";
import {
  fallbackProviderProgram,
  launcherMark,
  type PluginChoice,
  pluginFileName,
  pluginFolder,
} from "./plugin-choice.ts";

/** Returns true if the engine must run with the project directory's own PULUMI_HOME instead of the user's. */
export function needsCloneHome(plugins: readonly PluginChoice[]): boolean {
  return plugins.some((plugin) => plugin.use === "fallback");
}

/**
 * Puts the chosen plugins into the project directory's PULUMI_HOME: launchers of the fallback providers, and links to
 * the official plugins in the user's home. Does nothing if everything is there. Safe to run concurrently.
 */
export function fillCloneHome(root: string, plugins: readonly PluginChoice[]): void {
  ignoreOwnFolder(root);
  for (const plugin of plugins) {
    if (plugin.use === "fallback") writeLauncher(root, plugin);
    if (plugin.use === "official" && plugin.path !== undefined) linkOfficial(root, plugin, plugin.path);
  }
}

/**
 * Returns the shell script by which the engine starts a fallback provider. It runs the project's program on the
 * project's Node, whatever is on PATH.
 */
export function launcherScript(root: string, plugin: PluginChoice): string {
  const program = fallbackProviderProgram(plugin, root);
  return `#!/bin/sh\n${launcherMark}\nexec ${shellQuote(pinnedNode(root))} ${shellQuote(program)} "$@"\n`;
}

/** Returns the Node that package.json pins, or the running one if it is not installed. */
export function pinnedNode(root: string): string {
  const pinned = join(root, "node_modules", "node", "bin", "node");
  return isExecutableFile(pinned) ? pinned : process.execPath;
}

function writeLauncher(root: string, plugin: PluginChoice): void {
  const path = join(pluginFolder(cloneHome(root), plugin), pluginFileName(plugin));
  const script = launcherScript(root, plugin);
  if (isExecutableFile(path) && readFileIfThere(path) === script) return;
  writeFileAtomically(path, script, { mode: 0o755 });
}

function linkOfficial(root: string, plugin: PluginChoice, binary: string): void {
  const target = pluginFolder(cloneHome(root), plugin);
  const source = dirname(binary);
  // The engine finds a plugin on PATH without a home, and its folder contains other files, too.
  if (source === target || plugin.reason === "found on PATH") return;
  if (isSameFile(binary, join(target, pluginFileName(plugin)))) return;
  rmSync(target, { recursive: true, force: true });
  const staging = temporaryFor(target);
  mkdirSync(staging, { recursive: true });
  try {
    for (const entry of readdirSync(source, { withFileTypes: true })) {
      if (entry.isFile()) linkOrCopy(join(source, entry.name), join(staging, entry.name));
    }
    renameSync(staging, target);
  } catch (error) {
    // Another process was first, and its folder has the same content.
    if (!isCode(error, "ENOTEMPTY") && !isCode(error, "EEXIST")) throw error;
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

/**
 * Returns true if the link is the binary or a copy of it, judged by the size. A fallback provider's launcher in its
 * place is thousands of times smaller.
 */
function isSameFile(binary: string, linked: string): boolean {
  return existsSync(linked) && statSync(linked).size === statSync(binary).size;
}

function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    // Another file system, or one without links.
    if (!isCode(error, "EXDEV") && !isCode(error, "EPERM") && !isCode(error, "ENOTSUP")) throw error;
    copyFileSync(from, to);
  }
}
