/*
 * Allowed import directions: infra/program -> components -> plan; infra/provider -> scripts/<module>;
 * scripts/cli -> scripts/<module>. Tests may import anything.
 */

const typeOnly = ["type-only"];

/** @type {import("dependency-cruiser").IConfiguration} */
export default {
  forbidden: [
    {
      name: "program-composes-components",
      comment: "The program composes components; what a provider plugin does runs in another process.",
      severity: "error",
      from: { path: "^infra/(program|server)\\.ts$" },
      to: { path: "^infra/(provider|fallback-providers|provider-protocol)/", pathNot: "^infra/provider/sdk\\.ts$" },
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
      comment: "Components construct what infra/plan decides, with the official SDKs and infra/provider/sdk.ts.",
      severity: "error",
      from: { path: "^infra/components/" },
      to: {
        path: "^(infra|scripts|test)/",
        pathNot: [
          "^infra/(components|plan)/",
          "^infra/provider/sdk\\.ts$",
          "^infra/settings(\\.ts$|/)",
          "^scripts/(database|connection)/",
          "^scripts/files/(temporary|kit-folder)\\.ts$",
        ],
      },
    },
    {
      name: "components-take-only-types",
      comment: "Of settings, databases and connections a component needs to know the shape, and nothing that runs.",
      severity: "error",
      from: { path: "^infra/components/" },
      to: { path: ["^infra/settings(\\.ts$|/)", "^scripts/(database|connection)/"], dependencyTypesNot: typeOnly },
    },
    {
      name: "plan-imports-nothing",
      comment: "Planning is pure: no Pulumi, no Node, nothing outside infra/plan.",
      severity: "error",
      from: { path: "^infra/plan/" },
      to: { pathNot: "^infra/plan/" },
    },
    {
      name: "settings-know-no-pulumi",
      comment: "Settings are parsed from plain text, so that they are tested without Pulumi.",
      severity: "error",
      from: { path: "^infra/settings(\\.ts$|/)" },
      to: {
        path: ["^(infra|scripts|test)/", "node_modules/@pulumi/"],
        pathNot: [
          "^infra/settings(\\.ts$|/)",
          "^infra/plan/",
          "^scripts/errors/",
          "^scripts/backup/schedule\\.ts$",
          "^scripts/database/(nearest|database-name)\\.ts$",
          "^scripts/docker/host\\.ts$",
          "^scripts/connection/(url|parts|connection)\\.ts$",
        ],
      },
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
      to: { path: "^infra/settings(\\.ts$|/)", dependencyTypesNot: typeOnly },
    },
    {
      name: "fallback-providers-stand-alone",
      comment: "A stand-in behaves as the official plugin does, whatever the rest of the kit does.",
      severity: "error",
      from: { path: "^infra/fallback-providers/" },
      to: {
        path: "^(infra|scripts|test)/",
        pathNot: ["^infra/(fallback-providers|provider-protocol)/", "^scripts/(docker|errors|files|connection)/"],
      },
    },
    {
      name: "provider-protocol-stands-alone",
      comment: "One skeleton serves every plugin, so it knows none.",
      severity: "error",
      from: { path: "^infra/provider-protocol/" },
      to: {
        path: "^(infra|scripts|test)/",
        pathNot: ["^infra/provider-protocol/", "^scripts/(errors/|pulumi/shared-packages\\.ts$)"],
      },
    },
    {
      name: "only-the-command-line-imports-cli",
      comment: "Commands read arguments and print; whoever needs the work calls the module.",
      severity: "error",
      from: { pathNot: ["^scripts/(cli|docs)/", "^scripts/pgw\\.(ts|mjs)$", "^test/"] },
      to: { path: "^scripts/cli/" },
    },
    {
      name: "only-destroy-erases",
      comment: "Data is lost by one command alone, with the name of what goes typed.",
      severity: "error",
      from: { pathNot: ["^scripts/(erase|cli/commands/destroy)/", "^scripts/cli/commands/destroy\\.ts$", "^test/"] },
      to: { path: "^scripts/erase/" },
    },
    {
      name: "scripts-know-no-stack",
      comment: "A module knows a connection, never a stack.",
      severity: "error",
      from: { path: "^scripts/" },
      to: { path: "^infra/(components|provider|fallback-providers|provider-protocol)/" },
    },
    {
      name: "scripts-take-settings-types",
      comment:
        "The shape of settings is known everywhere; parsing them is the program's work. The docs print their reference.",
      severity: "error",
      from: { path: "^scripts/", pathNot: "^scripts/docs/" },
      to: { path: "^infra/settings(\\.ts$|/)", dependencyTypesNot: typeOnly },
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
      name: "nothing-imports-tests",
      severity: "error",
      from: { path: "^(infra|scripts)/" },
      to: { path: "^test/" },
    },
    {
      name: "no-dev-dependencies-outside-tests",
      comment: "`npm ci --omit=dev` leaves them out: only tests and the build of the package may need them.",
      severity: "error",
      from: { pathNot: ["^test/", "^scripts/package/"] },
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
