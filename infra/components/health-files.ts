import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { RunError } from "@pulumi/pulumi/errors.js";
import semver from "semver";
import { hasCurrentSources, healthServerFile } from "../../scripts/core/bundle-sources.ts";
import { ignoreOwnFolder, isInstalled, kitFolder, projectFolder } from "../../scripts/core/kit-folder.ts";
import { temporaryFor } from "../../scripts/core/temporary.ts";

/** Oldest Node that the health server runs on. */
const oldestNode = "22.18";

/**
 * Returns the files that the monitoring image needs for the health server, by their path in its build context: the
 * bundle of the kit, and Node for Linux.
 *
 * @throws RunError if there is no Node for Linux
 */
export function healthServerFiles(): Record<string, string> {
  return { "health/node": linuxNode(), "health/health-server.mjs": healthServerBundle() };
}

/** The package has the bundle. A checkout builds it, and again if one of its sources has changed. */
function healthServerBundle(): string {
  if (isInstalled) return join(kitFolder, "dist", healthServerFile);
  ignoreOwnFolder(projectFolder());
  const folder = join(kitFolder, ".pgroundwork", "health-server");
  if (!hasCurrentSources(folder)) build(folder);
  return join(folder, healthServerFile);
}

/** Another process builds it, because the bundler is no part of the published package. */
function build(folder: string): void {
  const temporary = temporaryFor(folder);
  mkdirSync(dirname(folder), { recursive: true });
  try {
    const program = join(kitFolder, "scripts", "package", "bundle-health-server.ts");
    const { status, stderr, error } = spawnSync(process.execPath, [program, temporary], { encoding: "utf8" });
    if (status !== 0)
      throw new RunError(`The health server could not be bundled: ${error?.message ?? stderr.trim().slice(-2_000)}`);
    rmSync(folder, { recursive: true, force: true });
    renameSync(temporary, folder);
  } catch (error) {
    // Ignored if another run wrote the same bundle first.
    if (!hasCurrentSources(folder)) throw error;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/**
 * Returns the path of Node for Linux: of the npm package `node-linux-<arch>`, or of `node` on Linux, as the project has
 * installed it. A project of others without both uses the Node that runs its program.
 */
function linuxNode(): string {
  const { arch, platform, execPath } = process;
  const { resolve } = createRequire(join(projectFolder(), "package.json"));
  const packages = [`node-linux-${arch}`, ...(platform === "linux" ? ["node"] : [])];
  for (const name of packages) {
    try {
      const manifest = resolve(`${name}/package.json`);
      const { version } = JSON.parse(readFileSync(manifest, "utf8")) as { version: string };
      const path = join(dirname(manifest), "bin", "node");
      if (isRecent(version) && existsSync(path)) return path;
    } catch {
      // Not installed.
    }
  }
  if (isInstalled && platform === "linux" && isRecent(process.versions.node)) return execPath;
  throw new RunError(
    `The health server's container needs Node ${oldestNode} or later for Linux, and the project has none.
  Install it: npm install --no-save --force node-linux-${arch}@24
  Or set monitoring.health to false.`,
  );
}

function isRecent(version: string): boolean {
  return semver.gte(version, `${oldestNode}.0`);
}
