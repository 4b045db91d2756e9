import { execFile } from "node:child_process";
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { isBuiltin } from "node:module";
import { join } from "node:path";
import { promisify } from "node:util";
import { build } from "tsdown";
import { entryPoints, external, type ProjectManifest, packageManifest } from "./manifest.ts";

const run = promisify(execFile);

/**
 * Builds the package that applications install: bundled modules, their types and source maps, and a manifest with the
 * few dependencies that stay outside the bundle.
 *
 * @param root project directory
 * @param folder folder for the package's files; its content is replaced
 * @returns path of the tarball, next to the folder
 */
export async function buildPackage(root: string, folder: string): Promise<string> {
  const manifest = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as ProjectManifest;
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await build({
    cwd: root,
    entry: Object.fromEntries(Object.entries(entryPoints).map(([name, { source }]) => [name, source])),
    outDir: join(folder, "dist"),
    format: "esm",
    platform: "node",
    target: "node22.18",
    dts: true,
    sourcemap: true,
    // Everything else goes into the bundle: of graphile-migrate, for example, only four modules are used, and its own
    // dependencies include a command line and a file watcher.
    deps: { neverBundle: external, alwaysBundle: (id) => !external.includes(id) && !isBuiltin(id) },
    logLevel: "warn",
    inputOptions: { checks: { pluginTimings: false } },
  });
  await writeFile(join(folder, "package.json"), `${JSON.stringify(packageManifest(manifest), null, 2)}\n`);
  for (const file of ["LICENSE", "CHANGELOG.md"]) await cp(join(root, file), join(folder, file));
  await cp(join(root, "scripts/package/README.md"), join(folder, "README.md"));
  const { stdout } = await run("npm", ["pack", folder, "--pack-destination", join(folder, ".."), "--json"]);
  const [packed] = JSON.parse(stdout) as [{ filename: string }];
  return join(folder, "..", packed.filename);
}
