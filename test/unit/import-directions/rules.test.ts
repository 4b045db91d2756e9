import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const rules = fileURLToPath(new URL("../../../.dependency-cruiser.mjs", import.meta.url));
const cruiser = fileURLToPath(
  new URL("../../../node_modules/dependency-cruiser/bin/dependency-cruise.mjs", import.meta.url),
);

type Statement = "import" | "import type" | "dynamic import";

interface Case {
  statement?: Statement;
  from: string;
  to: string;
  /** Second import of a cycle, which is reported only once. */
  reported?: false;
}

/** Imports that each rule refuses. Every importing file occurs once, because it identifies the violation. */
const refused: Record<string, Case[]> = {
  "core-imports-lower-rooms": [
    { from: "scripts/core/a.ts", to: "scripts/connection/connection.ts", statement: "import type" },
  ],
  "model-imports-lower-rooms": [{ from: "scripts/model/a.ts", to: "scripts/docker/client.ts" }],
  "connection-imports-lower-rooms": [{ from: "scripts/connection/b.ts", to: "scripts/sql/run-sql.ts" }],
  "settings-imports-lower-rooms": [{ from: "scripts/settings/b.ts", to: "scripts/server/log.ts" }],
  "pulumi-imports-lower-rooms": [{ from: "scripts/pulumi/b.ts", to: "scripts/stack/outputs.ts" }],
  "tls-imports-lower-rooms": [{ from: "scripts/tls/a.ts", to: "scripts/server/log.ts" }],
  "dashboards-imports-lower-rooms": [{ from: "scripts/dashboards/a.ts", to: "scripts/sql/run-sql.ts" }],
  "client-imports-lower-rooms": [{ from: "scripts/client/a.ts", to: "scripts/sql/run-sql.ts" }],
  "server-imports-lower-rooms": [{ from: "scripts/server/o.ts", to: "scripts/docker/client.ts" }],
  "ledger-imports-lower-rooms": [{ from: "scripts/ledger/a.ts", to: "scripts/migrate/status.ts" }],
  "docker-imports-lower-rooms": [
    { from: "scripts/docker/a.ts", to: "scripts/stack/outputs.ts", statement: "dynamic import" },
  ],
  "sql-imports-lower-rooms": [{ from: "scripts/sql/a.ts", to: "scripts/catalog/catalog.ts" }],
  "catalog-imports-lower-rooms": [{ from: "scripts/catalog/a.ts", to: "scripts/databases/file.ts" }],
  "types-imports-lower-rooms": [{ from: "scripts/types/a.ts", to: "scripts/databases/file.ts" }],
  "data-access-imports-the-package": [
    { from: "migrations/shop/data/a.ts", to: "scripts/client/pool.ts" },
    { from: "migrations/shop/data/b.ts", to: "scripts/index.ts", reported: false },
  ],
  "databases-imports-lower-rooms": [{ from: "scripts/databases/a.ts", to: "scripts/migrate/status.ts" }],
  "validate-imports-lower-rooms": [{ from: "scripts/validate/a.ts", to: "scripts/doctor/diagnose.ts" }],
  "adopt-imports-lower-rooms": [{ from: "scripts/adopt/a.ts", to: "scripts/databases/file.ts" }],
  "scratch-imports-lower-rooms": [{ from: "scripts/scratch/b.ts", to: "scripts/migrate/status.ts" }],
  "migrate-imports-lower-rooms": [{ from: "scripts/migrate/c.ts", to: "scripts/seed/apply.ts" }],
  "import-imports-lower-rooms": [{ from: "scripts/import/a.ts", to: "scripts/stack/outputs.ts" }],
  "seed-imports-lower-rooms": [{ from: "scripts/seed/a.ts", to: "scripts/migrate/status.ts" }],
  "backup-imports-lower-rooms": [{ from: "scripts/backup/a.ts", to: "scripts/stack/outputs.ts" }],
  "health-imports-lower-rooms": [{ from: "scripts/health/a.ts", to: "scripts/doctor/diagnose.ts" }],
  "programs-imports-lower-rooms": [{ from: "scripts/programs/a.ts", to: "scripts/stack/outputs.ts" }],
  "doctor-imports-lower-rooms": [{ from: "scripts/doctor/a.ts", to: "scripts/stack/outputs.ts" }],
  "stack-imports-lower-rooms": [{ from: "scripts/stack/a.ts", to: "scripts/cli/commands/up.ts" }],
  "cli-imports-lower-rooms": [{ from: "scripts/cli/commands/d.ts", to: "scripts/package/build.ts" }],
  "program-composes-components": [
    { from: "infra/program.ts", to: "infra/provider/resources/servers/ready.ts" },
    { from: "infra/sidecars.ts", to: "infra/fallback-providers/session.ts" },
  ],
  "nothing-imports-the-program": [
    { from: "infra/images/a.ts", to: "infra/program.ts" },
    { from: "infra/provider/g.ts", to: "infra/program.ts", statement: "import type" },
  ],
  "components-see-plan-and-sdk": [
    { from: "infra/components/a.ts", to: "infra/provider/definitions/definitions.ts" },
    { from: "infra/components/b.ts", to: "infra/fallback-providers/session.ts", statement: "import type" },
    { from: "infra/components/c.ts", to: "scripts/server/log.ts" },
    { from: "infra/components/d.ts", to: "infra/provider-protocol/values.ts", statement: "dynamic import" },
  ],
  "components-take-only-types": [
    { from: "infra/components/e.ts", to: "scripts/databases/file.ts" },
    { from: "infra/components/f.ts", to: "scripts/settings/settings.ts" },
    { from: "infra/components/g.ts", to: "scripts/connection/connection.ts", statement: "dynamic import" },
  ],
  "plan-imports-the-model": [
    { from: "infra/plan/a.ts", to: "scripts/settings/settings.ts", statement: "import type" },
    { from: "infra/plan/b.ts", to: "node:path" },
    { from: "infra/plan/c.ts", to: "declared" },
  ],
  "settings-know-no-pulumi": [{ from: "scripts/settings/a.ts", to: "@pulumi/pulumi" }],
  "provider-uses-modules": [
    { from: "infra/provider/a.ts", to: "infra/components/database.ts" },
    { from: "infra/provider/b.ts", to: "infra/fallback-providers/session.ts" },
  ],
  "provider-takes-settings-types": [{ from: "infra/provider/c.ts", to: "scripts/settings/settings.ts" }],
  "fallback-providers-stand-alone": [
    { from: "infra/fallback-providers/a.ts", to: "scripts/pulumi/versions.ts" },
    { from: "infra/fallback-providers/b.ts", to: "infra/provider/definitions/definitions.ts" },
    { from: "infra/fallback-providers/c.ts", to: "scripts/server/log.ts", statement: "import type" },
  ],
  "provider-protocol-stands-alone": [
    { from: "infra/provider-protocol/a.ts", to: "infra/provider/definitions/definitions.ts" },
    { from: "infra/provider-protocol/b.ts", to: "scripts/connection/connection.ts", statement: "import type" },
  ],
  "only-the-command-line-imports-cli": [
    { from: "scripts/index.ts", to: "scripts/cli/commands/up.ts" },
    { from: "scripts/stack/a.ts", to: "scripts/cli/commands/up.ts" },
    { from: "infra/provider/d.ts", to: "scripts/cli/commands/up.ts", statement: "import type" },
  ],
  "only-destroy-erases": [
    { from: "infra/provider/e.ts", to: "scripts/stack/erase/data.ts" },
    { from: "infra/provider/f.ts", to: "scripts/stack/erase/data.ts", statement: "import type" },
    { from: "scripts/cli/commands/c.ts", to: "scripts/stack/erase/data.ts", statement: "dynamic import" },
  ],
  "scripts-never-import-infra": [
    { from: "scripts/server/b.ts", to: "infra/components/database.ts" },
    { from: "scripts/server/c.ts", to: "infra/provider/sdk/servers.ts", statement: "import type" },
    { from: "scripts/cli/commands/a.ts", to: "infra/fallback-providers/session.ts", statement: "dynamic import" },
    { from: "scripts/pulumi/a.ts", to: "infra/provider-protocol/values.ts" },
    { from: "scripts/scratch/a.ts", to: "infra/plan/tuning.ts", statement: "import type" },
  ],
  "only-the-program-parses-settings": [
    { from: "scripts/docker/d.ts", to: "scripts/settings/settings.ts" },
    { from: "scripts/stack/e.ts", to: "scripts/settings/schema.ts", statement: "dynamic import" },
  ],
  "two-files-know-graphile-migrate": [
    { from: "scripts/migrate/a.ts", to: "graphile-migrate" },
    { from: "scripts/migrate/b.ts", to: "graphile-migrate/dist/hash.js", statement: "import type" },
  ],
  "nothing-imports-tests": [{ from: "scripts/server/f.ts", to: "test/embedded/server.ts" }],
  "no-dev-dependencies-outside-tests": [{ from: "scripts/server/g.ts", to: "development" }],
  "nothing-imports-the-package-build": [{ from: "scripts/cli/commands/d.ts", to: "scripts/package/build.ts" }],
  "nothing-imports-the-dashboards": [{ from: "scripts/cli/commands/e.ts", to: "scripts/dashboards/files.ts" }],
  "no-undeclared-dependencies": [{ from: "scripts/server/h.ts", to: "undeclared" }],
  "no-circular-imports": [
    { from: "scripts/server/i.ts", to: "scripts/server/j.ts" },
    { from: "scripts/server/j.ts", to: "scripts/server/i.ts", statement: "import type", reported: false },
  ],
  "no-unresolvable-imports": [
    { from: "scripts/server/k.ts", to: "scripts/server/absent.ts" },
    { from: "scripts/server/l.ts", to: "not-installed" },
  ],
};

/** Allowed imports that look similar. */
const allowed: Case[] = [
  { from: "infra/program.ts", to: "infra/components/database.ts" },
  { from: "infra/components/a.ts", to: "scripts/model/names.ts" },
  { from: "infra/components/b.ts", to: "infra/provider/sdk/servers.ts" },
  { from: "infra/components/c.ts", to: "scripts/databases/file.ts", statement: "import type" },
  { from: "infra/components/d.ts", to: "scripts/settings/settings.ts", statement: "import type" },
  { from: "infra/components/e.ts", to: "@pulumi/pulumi" },
  { from: "infra/plan/a.ts", to: "scripts/model/names.ts" },
  { from: "scripts/settings/settings.ts", to: "scripts/model/names.ts" },
  { from: "scripts/settings/a.ts", to: "scripts/core/operation-error.ts" },
  { from: "infra/provider/a.ts", to: "scripts/server/log.ts" },
  { from: "infra/provider/b.ts", to: "infra/provider-protocol/values.ts" },
  { from: "infra/provider/c.ts", to: "scripts/settings/settings.ts", statement: "import type" },
  { from: "infra/fallback-providers/a.ts", to: "scripts/connection/connection.ts" },
  { from: "infra/fallback-providers/b.ts", to: "infra/provider-protocol/values.ts" },
  { from: "infra/fallback-providers/c.ts", to: "scripts/core/operation-error.ts" },
  { from: "infra/fallback-providers/d.ts", to: "declared" },
  { from: "infra/fallback-providers/e.ts", to: "scripts/docker/client.ts", statement: "dynamic import" },
  { from: "infra/provider-protocol/a.ts", to: "scripts/core/operation-error.ts" },
  { from: "scripts/pgw.ts", to: "scripts/cli/commands/up.ts", statement: "dynamic import" },
  { from: "scripts/cli/commands/a.ts", to: "scripts/cli/commands/up.ts" },
  { from: "scripts/cli/commands/b.ts", to: "scripts/server/log.ts" },
  { from: "scripts/cli/commands/destroy/destroy.ts", to: "scripts/stack/erase/data.ts", statement: "dynamic import" },
  { from: "scripts/cli/commands/destroy/a.ts", to: "scripts/stack/erase/data.ts" },
  { from: "scripts/stack/erase/a.ts", to: "scripts/stack/erase/data.ts" },
  { from: "scripts/docker/a.ts", to: "scripts/settings/settings.ts", statement: "import type" },
  { from: "scripts/server/b.ts", to: "scripts/model/names.ts" },
  { from: "scripts/scratch/a.ts", to: "scripts/docker/client.ts" },
  { from: "scripts/server/c.ts", to: "node:path" },
  {
    from: "scripts/migrate/graphile-migrate-authoring.ts",
    to: "graphile-migrate/dist/hash.js",
    statement: "dynamic import",
  },
  { from: "scripts/migrate/graphile-migrate.ts", to: "graphile-migrate/dist/hash.js", statement: "dynamic import" },
  { from: "test/unit/a.test.ts", to: "infra/program.ts" },
  { from: "test/unit/b.test.ts", to: "scripts/cli/commands/up.ts" },
  { from: "test/unit/c.test.ts", to: "graphile-migrate" },
  { from: "test/unit/d.test.ts", to: "development" },
  { from: "test/unit/e.test.ts", to: "infra/fallback-providers/session.ts" },
];

const installed = ["declared", "development", "undeclared", "graphile-migrate", "@pulumi/pulumi"];
const packageJson = {
  name: "tree",
  type: "module",
  dependencies: { declared: "1.0.0", "graphile-migrate": "1.0.0", "@pulumi/pulumi": "1.0.0" },
  devDependencies: { development: "1.0.0" },
};

const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true });
});

/** Checks a temporary tree with these imports. Returns each violation as `rule: file`, sorted. */
async function violations(cases: readonly Case[]): Promise<string[]> {
  const root = await mkdtemp(join(tmpdir(), "import-directions-"));
  folders.push(root);
  const files = new Map<string, string>();
  for (const { to } of cases)
    if (/^(infra|scripts|test)\//.test(to) && !to.includes("absent")) files.set(to, "export {};\n");
  for (const one of cases) files.set(one.from, statement(one));
  for (const name of installed) {
    files.set(`node_modules/${name}/package.json`, JSON.stringify({ name, version: "1.0.0", main: "index.js" }));
    files.set(`node_modules/${name}/index.js`, "module.exports = {};\n");
  }
  files.set("node_modules/graphile-migrate/dist/hash.js", "module.exports = {};\n");
  files.set("package.json", JSON.stringify(packageJson));
  for (const folder of ["infra", "scripts", "test", "migrations"]) await mkdir(join(root, folder), { recursive: true });
  for (const [path, text] of files) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  const report = JSON.parse(await cruise(root)) as {
    summary: { violations: { rule: { name: string }; from: string }[] };
  };
  return report.summary.violations.map(({ rule, from }) => `${rule.name}: ${from}`).sort();
}

function statement({ from, to, statement: kind = "import" }: Case): string {
  const up = "../".repeat(from.split("/").length - 1);
  const specifier = /^(infra|scripts|test)\//.test(to) ? `${up}${to}` : to;
  if (kind === "dynamic import") return `export const loaded = import("${specifier}");\n`;
  return kind === "import type"
    ? `import type * as imported from "${specifier}";\nexport type Imported = typeof imported;\n`
    : `import * as imported from "${specifier}";\nexport { imported };\n`;
}

function cruise(root: string): Promise<string> {
  const args = [cruiser, "--config", rules, "--output-type", "json", "infra", "scripts", "test", "migrations"];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { cwd: root, maxBuffer: 2 ** 25 }, (error, stdout, stderr) => {
      // The exit code is the number of violations. Without a report on stdout, the command itself failed.
      if (error !== null && stdout === "") reject(new Error(`depcruise: ${stderr}`, { cause: error }));
      else resolve(stdout);
    });
  });
}

/** Returns the violations that a rule's cases must cause. */
function expectedOf(rule: string, cases: readonly Case[]): string[] {
  return cases.filter(({ reported = true }) => reported).map(({ from }) => `${rule}: ${from}`);
}

describe("import directions", () => {
  let found: string[];
  beforeAll(async () => {
    found = await violations(Object.values(refused).flat());
  });

  it.each(Object.entries(refused))("%s refuses the imports that violate it, and no others", (rule, cases) => {
    expect(found.filter((violation) => violation.startsWith(`${rule}: `))).toEqual(expectedOf(rule, cases).sort());
  });

  it("have a case here for each rule", async () => {
    const { default: configuration } = (await import(rules)) as { default: { forbidden: { name: string }[] } };
    expect(configuration.forbidden.map(({ name }) => name).sort()).toEqual(Object.keys(refused).sort());
  });

  it("allow every import that follows them", async () => {
    expect(await violations(allowed)).toEqual([]);
  });
});
