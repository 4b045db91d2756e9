import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isCode, readFileIfThere, writeFileAtomically } from "../core/atomic-file.ts";
import { kitFolder } from "../core/kit-folder.ts";
import { shellQuote } from "../core/shell.ts";
import { isExecutableFile } from "./path-search.ts";
import { pluginFileName, pluginFolder } from "./plugin-choice.ts";

/** Name of the kit's own provider plugin. */
const name = "pgroundwork";

/** Path of the plugin's program in a package. */
const program = join("node_modules", name, "dist", "provider.mjs");

/** Returns the version of the package, which is its plugin's. */
export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(join(kitFolder, "package.json"), "utf8")) as { version: string };
  return version;
}

/**
 * Puts a launcher of the kit's own plugin where the engine looks for plugins of this version. So a project needs no
 * path in its Pulumi.yaml. Does nothing if the launcher is there. Safe to run concurrently.
 *
 * @param home PULUMI_HOME
 * @throws Error that names the folder if it cannot be written
 */
export function installOwnPlugin(home: string): void {
  const plugin = { name, version: packageVersion() };
  const path = join(pluginFolder(home, plugin), pluginFileName(plugin));
  const script = ownLauncher();
  if (isExecutableFile(path) && readFileIfThere(path) === script) return;
  try {
    writeFileAtomically(path, script, { mode: 0o755 });
  } catch (error) {
    if (!isCode(error, "EACCES") && !isCode(error, "EROFS")) throw error;
    throw new Error(`The provider plugin cannot be registered in ${home}: it is not writable. Set PULUMI_HOME.`, {
      cause: error,
    });
  }
}

/**
 * Returns the shell script by which the engine starts the plugin. It runs the package of the project in which the
 * engine works, so that projects with the same version do not depend on each other. If that folder does not have it (a
 * package of a package), it runs the one that wrote the script.
 */
function ownLauncher(): string {
  const own = join(kitFolder, "dist", "provider.mjs");
  return `#!/bin/sh
folder=$PWD
while [ "$folder" != / ] && [ ! -f "$folder/${program}" ]; do folder=$(dirname "$folder"); done
program="$folder/${program}"
[ -f "$program" ] || program=${shellQuote(own)}
exec "$(command -v node || echo ${shellQuote(process.execPath)})" "$program" "$@"
`;
}
