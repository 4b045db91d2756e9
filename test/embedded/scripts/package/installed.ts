import { execFile } from "node:child_process";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { buildPackage } from "../../../../scripts/package/build.ts";
import { cloneRoot } from "../../../clone-root.ts";
import { copyPrepared } from "../../../support/prepared.ts";

const run = promisify(execFile);

/** Folder of the checkout's programs: npm, Node, and checks of packages. */
export const bin = join(cloneRoot, "node_modules", ".bin");

/** A project that has installed the package, and nothing else. */
export interface Installed {
  /** Folder of the package's files, before they are packed. */
  files: string;
  tarball: string;
  /** The project's folder. */
  project: string;
}

/**
 * Builds the package and installs its tarball into a new project, with an empty home and without install scripts. The
 * first test file that needs it does so; the others copy the result.
 */
export async function installPackage(scratch: string, folder: string): Promise<Installed> {
  await copyPrepared(join(scratch, "prepared"), "package", folder, async (made) => {
    const tarball = await buildPackage(cloneRoot, join(made, "package", "files"));
    for (const each of ["project", "home"]) await mkdir(join(made, each), { recursive: true });
    await writeFile(join(made, "project", "package.json"), JSON.stringify({ private: true, type: "module" }));
    await run("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", tarball], {
      cwd: join(made, "project"),
      env: {
        ...process.env,
        HOME: join(made, "home"),
        PATH: `${bin}:${process.env.PATH}`,
        // The machine's registry may be set in the home that the project does not have.
        npm_config_userconfig: join(homedir(), ".npmrc"),
      },
    });
  });
  const files = join(folder, "package", "files");
  const { version } = (await import("../../../../package.json", { with: { type: "json" } })).default;
  return { files, tarball: join(folder, "package", `pgroundwork-${version}.tgz`), project: join(folder, "project") };
}

/** Links packages of the checkout into a project, as package managers with a shared store do. */
export async function linkPackages(project: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const link = join(project, "node_modules", name);
    await mkdir(dirname(link), { recursive: true });
    await symlink(join(cloneRoot, "node_modules", name), link);
  }
}
