#!/usr/bin/env node
import { existsSync, realpathSync } from "node:fs";
import module from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { compileCacheFolder } from "../pulumi/cache-folder.mjs";

// The package's command line, compiled as `dist/pgw.mjs`. It checks Node's version first: an older one would fail with
// a stack trace.
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(`error: Node ${process.version} is too old.\n  Use Node 22.18 or later.\n`);
  process.exitCode = 1;
} else {
  module.enableCompileCache?.(compileCacheFolder(process.env));
  const installed = programOfProject(process.cwd());
  if (installed === undefined || realpathSync(installed) === realpathSync(fileURLToPath(import.meta.url)))
    await import("../pgw.ts");
  else await import(pathToFileURL(installed).href);
}

/**
 * Returns this program as the project around a folder has installed it. A program from the cache of npx, or a global
 * one, can have another version.
 *
 * @param {string} folder
 * @returns {string | undefined}
 */
function programOfProject(folder) {
  const program = join(folder, "node_modules", "pgroundwork", "dist", "pgw.mjs");
  if (existsSync(program)) return program;
  const parent = dirname(folder);
  return parent === folder ? undefined : programOfProject(parent);
}
