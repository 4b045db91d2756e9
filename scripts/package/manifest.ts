/** Entry points of the package: the name of each file in `dist`, its source, and the subpath that programs import. */
export const entryPoints = {
  index: { source: "scripts/index.ts", subpath: "." },
} as const;

/**
 * Modules that stay dependencies of the package. An application shares its own copy of `pg`; libpg-query loads a
 * WebAssembly file from its folder.
 */
export const external = ["pg", "libpg-query"];

/** The part of the project's package.json that the package copies. */
export interface ProjectManifest {
  name: string;
  version: string;
  description: string;
  license: string;
  dependencies: Readonly<Record<string, string>>;
}

/** Returns the package.json of the package. It has no scripts, so nothing runs when it is installed. */
export function packageManifest({ name, version, description, license, dependencies }: ProjectManifest) {
  const exported = Object.entries(entryPoints).map(([file, { subpath }]) => [
    subpath,
    { types: `./dist/${file}.d.mts`, default: `./dist/${file}.mjs` },
  ]);
  return {
    name,
    version,
    description,
    license,
    type: "module",
    engines: { node: ">=22.18" },
    exports: Object.fromEntries(exported) as Record<string, { types: string; default: string }>,
    sideEffects: false,
    dependencies: Object.fromEntries(external.map((each) => [each, dependencies[each]])),
    files: ["dist", "CHANGELOG.md"],
  };
}
