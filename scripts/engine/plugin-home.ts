import { randomBytes } from "node:crypto";
import { copyFileSync, existsSync, linkSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { isCode, readFileIfThere, writeFileAtomically } from "./atomic-file.ts";
import { cloneHome } from "./locations.ts";
import { isExecutableFile } from "./path-search.ts";
import { launcherMark, type PluginChoice, pluginFileName, pluginFolder, standInProgram } from "./plugin-choice.ts";
import { shellQuote } from "./shell-exports.ts";

/** Whether the engine must run with the clone's own PULUMI_HOME instead of the user's. */
export function needsCloneHome(plugins: readonly PluginChoice[]): boolean {
  return plugins.some((plugin) => plugin.use === "stand-in");
}

/**
 * Puts the chosen plugins into the clone's PULUMI_HOME: launchers for the stand-ins, links to the official ones that
 * lie in the user's home. Does nothing where everything is there, and is safe beside another run.
 */
export function fillCloneHome(root: string, plugins: readonly PluginChoice[]): void {
  for (const plugin of plugins) {
    if (plugin.use === "stand-in") writeLauncher(root, plugin);
    if (plugin.use === "official" && plugin.path !== undefined) linkOfficial(root, plugin, plugin.path);
  }
}

/** The shell script by which the engine starts a stand-in: the clone's Node on the clone's program, whatever is on PATH. */
export function launcherScript(root: string, plugin: PluginChoice): string {
  const program = standInProgram(plugin, root);
  return `#!/bin/sh\n${launcherMark}\nexec ${shellQuote(pinnedNode(root))} ${shellQuote(program)} "$@"\n`;
}

/** The Node that package.json pins; the one that runs now where the clone has none of its own. */
export function pinnedNode(root: string): string {
  const pinned = join(root, "node_modules", "node", "bin", "node");
  return isExecutableFile(pinned) ? pinned : process.execPath;
}

function writeLauncher(root: string, plugin: PluginChoice): void {
  const path = join(pluginFolder(cloneHome(root), plugin), pluginFileName(plugin));
  const script = launcherScript(root, plugin);
  if (isExecutableFile(path) && readFileIfThere(path) === script) return;
  writeFileAtomically(path, script, 0o755);
}

function linkOfficial(root: string, plugin: PluginChoice, binary: string): void {
  const target = pluginFolder(cloneHome(root), plugin);
  const source = dirname(binary);
  // One on PATH is found without a home, and its folder is not the plugin's own.
  if (source === target || plugin.reason === "found on PATH") return;
  if (isSameFile(binary, join(target, pluginFileName(plugin)))) return;
  rmSync(target, { recursive: true, force: true });
  const staging = `${target}.${process.pid}-${randomBytes(4).toString("hex")}`;
  mkdirSync(staging, { recursive: true });
  try {
    for (const entry of readdirSync(source, { withFileTypes: true })) {
      if (entry.isFile()) linkOrCopy(join(source, entry.name), join(staging, entry.name));
    }
    renameSync(staging, target);
  } catch (error) {
    // Another run was first; its folder holds the same.
    if (!isCode(error, "ENOTEMPTY") && !isCode(error, "EEXIST")) throw error;
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

/** The very file, or a copy of it: a stand-in's launcher in its place is thousands of times smaller. */
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
