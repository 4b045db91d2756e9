/*
 * Imports go one way: infra/program -> components -> plan, provider -> scripts/<room>, and in scripts/ from a room to
 * the rooms below it. scripts/ never imports infra/. Tests may import anything.
 */

const typeOnly = ["type-only"];

/** Rooms of scripts/, from the lowest. A room imports only rooms in lines before its own. */
const rooms = [
  ["core"],
  ["connection"],
  ["model"],
  ["settings", "pulumi", "tls", "server", "ledger", "client", "dashboards"],
  ["docker", "sql", "catalog", "types"],
  ["databases", "adopt", "validate"],
  ["scratch"],
  ["migrate", "seed", "import", "backup", "health"],
  ["doctor"],
  ["programs"],
  ["stack"],
  ["cli"],
];

const roomRules = rooms.flatMap((level, index) =>
  level.map((room) => {
    const allowed = [room, ...rooms.slice(0, index).flat()];
    return {
      name: `${room}-imports-lower-rooms`,
      comment: "A room that knew a higher one could not be understood or tested without it.",
      severity: /** @type {const} */ ("error"),
      from: { path: `^scripts/${room}/` },
      to: { path: "^scripts/[^/]+/", pathNot: `^scripts/(${allowed.join("|")})/` },
    };
  }),
);

/** @type {import("dependency-cruiser").IConfiguration} */
export default {
  forbidden: [
    ...roomRules,
    {
      name: "program-composes-components",
      comment: "The program composes components; what a provider plugin does runs in another process.",
      severity: "error",
      from: { path: "^infra/(program|server|sidecars)\\.ts$" },
      to: { path: "^infra/(provider|fallback-providers|provider-protocol)/", pathNot: "^infra/provider/sdk/" },
    },
    {
      name: "nothing-imports-the-program",
      comment: "Importing the program declares a stack.",
      severity: "error",
      from: { pathNot: "^test/" },
      to: { path: "^infra/program\\.ts$" },
    },
    {
      name: "components-see-plan-and-sdk",
      comment: "Components construct what infra/plan decides, with the official SDKs and infra/provider/sdk.",
      severity: "error",
      from: { path: "^infra/components/" },
      to: {
        path: "^(infra|scripts|test)/",
        pathNot: [
          "^infra/(components|plan)/",
          "^infra/provider/sdk/",
          "^scripts/(model|settings|databases|connection)/",
          "^scripts/core/(temporary|kit-folder|bundle-sources)\\.ts$",
        ],
      },
    },
    {
      name: "components-take-only-types",
      comment: "Of settings, databases and connections a component needs to know the shape, and nothing that runs.",
      severity: "error",
      from: { path: "^infra/components/" },
      to: { path: "^scripts/(settings|databases|connection)/", dependencyTypesNot: typeOnly },
    },
    {
      name: "plan-imports-the-model",
      comment: "Planning is pure: no Pulumi, no Node, nothing outside infra/plan but names and privileges.",
      severity: "error",
      from: { path: "^infra/plan/" },
      to: { pathNot: "^(infra/plan|scripts/model)/" },
    },
    {
      name: "settings-know-no-pulumi",
      comment: "Settings are parsed from plain text, so that they are tested without Pulumi.",
      severity: "error",
      from: { path: "^scripts/settings/" },
      to: { path: "node_modules/@pulumi/" },
    },
    {
      name: "provider-uses-modules",
      comment: "The provider plugin is a door to modules in scripts/; it knows no stack.",
      severity: "error",
      from: { path: "^infra/provider/" },
      to: { path: "^infra/(components|fallback-providers)/" },
    },
    {
      name: "provider-takes-settings-types",
      comment: "A plugin is given inputs; it never parses a stack's settings.",
      severity: "error",
      from: { path: "^infra/provider/" },
      to: { path: "^scripts/settings/", dependencyTypesNot: typeOnly },
    },
    {
      name: "fallback-providers-stand-alone",
      comment: "A fallback provider behaves as the official plugin does, whatever the rest of the kit does.",
      severity: "error",
      from: { path: "^infra/fallback-providers/" },
      to: {
        path: "^(infra|scripts|test)/",
        pathNot: ["^infra/(fallback-providers|provider-protocol)/", "^scripts/(core|model|docker|connection)/"],
      },
    },
    {
      name: "provider-protocol-stands-alone",
      comment: "One skeleton serves every plugin, so it knows none.",
      severity: "error",
      from: { path: "^infra/provider-protocol/" },
      to: {
        path: "^(infra|scripts|test)/",
        pathNot: ["^infra/provider-protocol/", "^scripts/(core/|pulumi/shared-packages\\.ts$)"],
      },
    },
    {
      name: "only-the-command-line-imports-cli",
      comment: "Commands read arguments and print; whoever needs the work calls the module.",
      severity: "error",
      from: { pathNot: ["^scripts/cli/", "^scripts/pgw\\.(ts|mjs)$", "^test/"] },
      to: { path: "^scripts/cli/" },
    },
    {
      name: "only-destroy-erases",
      comment: "Data is lost by one command alone, with the name of what goes typed.",
      severity: "error",
      from: {
        pathNot: ["^scripts/(stack/erase|cli/commands/destroy)/", "^test/"],
      },
      to: { path: "^scripts/stack/erase/" },
    },
    {
      name: "scripts-never-import-infra",
      comment: "Operations work on a connection or a stack's outputs, without the program that declares the stack.",
      severity: "error",
      from: { path: "^scripts/", pathNot: "^scripts/package/" },
      to: { path: "^infra/" },
    },
    {
      name: "only-the-program-parses-settings",
      comment:
        "The shape of settings is known everywhere; parsing them is the program's work. The docs print their reference.",
      severity: "error",
      from: { path: "^scripts/", pathNot: "^scripts/(settings|cli/docs)/" },
      to: { path: "^scripts/settings/", dependencyTypesNot: typeOnly },
    },
    {
      name: "two-files-know-graphile-migrate",
      comment:
        "Its programmatic interface is undocumented: an upgrade has to be these files' matter, one for running and one for writing.",
      severity: "error",
      from: { pathNot: ["^scripts/migrate/graphile-migrate(-authoring)?\\.ts$", "^test/"] },
      to: { path: "(^|/)node_modules/graphile-migrate/" },
    },
    {
      name: "data-access-imports-the-package",
      comment: "A team copies data/ for its own database: it uses what the package exports, Kysely, and its own types.",
      severity: "error",
      from: { path: "^migrations/([^/]+)/data/" },
      to: {
        pathNot: [
          "^migrations/$1/(data/|types\\.ts$)",
          "^scripts/(index|client/kysely)\\.ts$",
          "(^|/)node_modules/kysely/",
        ],
      },
    },
    {
      name: "nothing-imports-tests",
      severity: "error",
      from: { path: "^(infra|scripts)/" },
      to: { path: "^test/" },
    },
    {
      name: "no-dev-dependencies-outside-tests",
      comment: "`npm ci --omit=dev` leaves them out: only tests and what generates committed files may need them.",
      severity: "error",
      from: { pathNot: ["^test/", "^scripts/(package|dashboards)/"] },
      to: { dependencyTypes: ["npm-dev"] },
    },
    {
      name: "nothing-imports-the-package-build",
      comment: "It needs development dependencies, which an installation for production does not have.",
      severity: "error",
      from: { pathNot: ["^test/", "^scripts/package/"] },
      to: { path: "^scripts/package/" },
    },
    {
      name: "nothing-imports-the-dashboards",
      comment: "Grafana reads the generated files; what generates them needs development dependencies.",
      severity: "error",
      from: { pathNot: ["^test/", "^scripts/dashboards/"] },
      to: { path: "^scripts/dashboards/" },
    },
    {
      name: "no-undeclared-dependencies",
      comment: "A package that only another package brings can vanish with its next version: name it in package.json.",
      severity: "error",
      from: {},
      to: { dependencyTypes: ["npm-no-pkg", "npm-unknown"] },
    },
    {
      name: "no-circular-imports",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "no-unresolvable-imports",
      severity: "error",
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    // Type imports count, too: the import directions also hold if no code runs.
    tsPreCompilationDeps: true,
    doNotFollow: { path: "node_modules" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default", "types"],
      extensions: [".ts", ".mjs", ".js", ".cjs", ".json", ".d.ts"],
    },
  },
};
