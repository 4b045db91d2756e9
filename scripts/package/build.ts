import { execFile } from "node:child_process";
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { isBuiltin } from "node:module";
import { join } from "node:path";
import { promisify } from "node:util";
import { decode, encode, type SourceMapSegment } from "@jridgewell/sourcemap-codec";
import type { Plugin } from "rolldown";
import { minify } from "rolldown/utils";
import { build } from "tsdown";
import { bundleHealthServer } from "./health-server.ts";
import { addLicenses, collectLicenses } from "./licenses.ts";
import {
  assets,
  entryPoints,
  external,
  optionalPeers,
  type ProjectManifest,
  packageManifest,
  programs,
} from "./manifest.ts";

const run = promisify(execFile);

/** Packages that make and read certificates. */
const certificatePackages = /node_modules\/(@peculiar|asn1js|pvtsutils|pvutils|reflect-metadata|tsyringe)\//;

/**
 * Builds the package that applications and projects install: bundled modules, their types and source maps, the files
 * that they read, and a manifest with the few dependencies that stay outside the bundle.
 *
 * @param root project directory
 * @param folder folder for the package's files; its content is replaced
 * @returns path of the tarball, next to the folder
 */
export async function buildPackage(root: string, folder: string): Promise<string> {
  const manifest = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as ProjectManifest;
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const modules = Object.entries(entryPoints).map(([name, { source }]) => [name, source] as const);
  await build({
    cwd: root,
    entry: { ...Object.fromEntries(modules), ...programs },
    outDir: join(folder, "dist"),
    format: "esm",
    platform: "node",
    target: "node22.18",
    dts: { entry: modules.map(([, source]) => source) },
    sourcemap: true,
    // The SSH client reads __dirname, which modules do not have.
    shims: true,
    // Everything else goes into the bundle: of graphile-migrate, for example, only four modules are used, and its own
    // dependencies include a command line and a file watcher.
    deps: {
      neverBundle: (id, importer) => isExternal(id) && !isRequired(id, importer),
      alwaysBundle: (id, importer) => isRequired(id, importer) || (!isExternal(id) && !isBuiltin(id)),
    },
    logLevel: "warn",
    inputOptions: { checks: { pluginTimings: false } },
    // Only code of others alone gets no map and no white space (see shrinkOthersCode), and this is the largest.
    outputOptions: {
      codeSplitting: { groups: [{ name: "x509", test: certificatePackages }] },
      // They are in the types and in the source maps.
      comments: { jsdoc: false },
    },
    plugins: [importRequired, collectLicenses],
  });
  await shrinkOthersCode(join(folder, "dist"));
  // One file of its own, which the image of the health container gets.
  await addLicenses(join(folder, "dist"), await bundleHealthServer(root, join(folder, "dist")));
  await writeFile(join(folder, "package.json"), `${JSON.stringify(packageManifest(manifest), null, 2)}\n`);
  for (const file of ["LICENSE", "CHANGELOG.md", ...assets])
    await cp(join(root, file), join(folder, file), { recursive: true });
  await cp(join(root, "scripts/package/README.md"), join(folder, "README.md"));
  const { stdout } = await run("npm", ["pack", folder, "--pack-destination", join(folder, ".."), "--json"]);
  const [packed] = JSON.parse(stdout) as [{ filename: string }];
  return join(folder, "..", packed.filename);
}

/**
 * Removes the code of others from source maps. A module without code of the project gets no map, no white space and
 * short local names; names of functions and classes stay, because messages show them and libraries compare them.
 * Without this, the package would be twice as large.
 */
async function shrinkOthersCode(dist: string): Promise<void> {
  for (const name of (await readdir(dist)).filter((each) => each.endsWith(".map"))) {
    const path = join(dist, name);
    const map = JSON.parse(await readFile(path, "utf8")) as SourceMap;
    const isOwn = map.sources.map((source) => !source.includes("node_modules/"));
    if (isOwn.includes(true)) {
      const sourcesContent = map.sourcesContent?.map((content, index) => (isOwn[index] ? content : null));
      await writeFile(path, JSON.stringify({ ...map, sourcesContent, names: [], mappings: linesOf(map.mappings) }));
      continue;
    }
    const file = path.replace(/\.map$/, "");
    const code = (await readFile(file, "utf8")).replace(/\n\/\/# sourceMappingURL=.*\n*$/, "\n");
    const shrunk = await minify(file, code, {
      compress: true,
      mangle: { toplevel: false, keepNames: true },
      codegen: { removeWhitespace: true },
    });
    if (shrunk.errors.length > 0) throw new Error(`${file} cannot be shrunk: ${shrunk.errors[0]?.message}`);
    await writeFile(file, shrunk.code);
    await rm(path);
  }
}

/** A source map, with the fields that are changed. */
interface SourceMap {
  sources: string[];
  sourcesContent?: (string | null)[];
  mappings: string;
}

/** Keeps the first position of each line: traces name lines, and columns are three quarters of the positions' size. */
function linesOf(mappings: string): string {
  const first = decode(mappings).map(([segment]) => {
    if (segment === undefined) return [];
    const [, source, line] = segment;
    return [source === undefined || line === undefined ? segment : ([0, source, line, 0] as SourceMapSegment)];
  });
  return encode(first);
}

/** Returns true for a dependency that a bundled module of others needs, which may be CommonJS. */
function isRequired(id: string, importer: string | undefined): boolean {
  return importer?.includes("/node_modules/") === true && external.includes(id.split("/")[0] ?? "");
}

const required = "\0required:";

/**
 * Lets bundled CommonJS modules import the dependencies that they require. Otherwise, the package would require them by
 * a function that the bundler of an application does not see: its program would not have `pg/lib/result.js`.
 */
const importRequired: Plugin = {
  name: "import-required",
  resolveId(id, importer, { kind }) {
    if (!isRequired(id, importer)) return undefined;
    return kind === "require-call" ? `${required}${id}` : { id, external: true };
  },
  load(id) {
    if (!id.startsWith(required)) return undefined;
    return `import required from ${JSON.stringify(id.slice(required.length))};\nmodule.exports = required;\n`;
  },
};

/** Returns true for an import that is resolved where the package is installed. */
function isExternal(id: string): boolean {
  // Native modules of an SSH client. It works without them, and nothing compiles them.
  if (id === "cpu-features" || id.endsWith(".node")) return true;
  return [...external, ...Object.keys(optionalPeers)].some((name) => id === name || id.startsWith(`${name}/`));
}
