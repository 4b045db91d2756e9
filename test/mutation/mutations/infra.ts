import type { Mutation } from "../mutation.ts";

/** Mutations of infra/, by room. */
export const infraMutations: readonly Mutation[] = [
  // components
  {
    file: "infra/components/hardening.ts",
    find: "    memorySwap: memory,",
    replace: "    memorySwap: 2 * memory,",
    tests: ["test/unit/infra/components/monitoring.test.ts"],
  },
  // package
  {
    file: "infra/package/options.ts",
    find: "rest: { ...options, protect: false }",
    replace: "rest: options",
    tests: ["test/unit/infra/package/components.test.ts"],
  },
  {
    file: "infra/package/server.ts",
    find: "  names.add(what);",
    replace: "",
    tests: ["test/unit/infra/package/components.test.ts"],
  },
  // fallback-providers
  {
    file: "infra/fallback-providers/docker/container-request.ts",
    find: "swap === 0 ? 2 * memory",
    replace: "swap === 0 ? memory",
    tests: ["test/unit/infra/fallback-providers/docker/container-request.test.ts"],
  },
  {
    file: "infra/fallback-providers/docker/container-request.ts",
    find: "  if (memory === 0) return {};",
    replace: "",
    tests: ["test/unit/infra/fallback-providers/docker/container-request.test.ts"],
  },
  {
    file: "infra/fallback-providers/postgresql/grant.ts",
    find: 'return text(values, "objectType") === "database" ? sessions.database : text(values, "database");',
    replace: 'return sessions.database === "" ? sessions.database : text(values, "database");',
    tests: ["test/embedded/infra/fallback-providers/postgresql/grants.test.ts"],
  },
  {
    file: "infra/fallback-providers/postgresql/privileges.ts",
    find: "if (!withGrantOption && grantable) revokeGrantOption.add(privilege);",
    replace: "",
    tests: ["test/unit/infra/fallback-providers/postgresql/privileges.test.ts"],
  },
  {
    file: "infra/fallback-providers/postgresql/session.ts",
    find: "    if (existing !== undefined && !existing.broken) return existing;",
    replace: "    if (existing !== undefined) return existing;",
    tests: ["test/embedded/infra/fallback-providers/postgresql/connections.test.ts"],
  },
  // plan
  {
    file: "infra/plan/container.ts",
    find: '  ssl_min_protocol_version: "TLSv1.2",',
    replace: '  ssl_min_protocol_version: "TLSv1",',
    tests: ["test/docker/infra/program/up.test.ts"],
  },
  {
    file: "scripts/model/privileges.ts",
    find: '      { role: everyone, on: "database", privileges: [] },\n      { role: everyone, on: "schema", privileges: [] },\n',
    replace: "",
    tests: ["test/embedded/scripts/model/privileges.test.ts"],
  },
  {
    file: "scripts/model/privileges.ts",
    find: "const connects = [migrator, app, readonly, serverRolePlans.monitor.name, serverRolePlans.backup.name];",
    replace: "const connects = [migrator, app, readonly, serverRolePlans.backup.name];",
    tests: ["test/embedded/scripts/model/privileges.test.ts"],
  },
  // settings
  {
    file: "scripts/settings/settings.ts",
    find: '["archive_mode", "archive_command", "archive_library"]',
    replace: '["archive_mode", "archive_command"]',
    tests: ["test/unit/scripts/settings/backups-section.test.ts"],
  },
  {
    file: "scripts/settings/settings.ts",
    find: '["archive_mode", "archive_command", "archive_library"]',
    replace: '["archive_mode", "archive_library"]',
    tests: ["test/unit/scripts/settings/backups-section.test.ts"],
  },
  {
    file: "scripts/settings/settings.ts",
    find: "    .filter(({ setting }) => !reported.has(setting));",
    replace: ";",
    tests: ["test/unit/scripts/settings/parse-settings.test.ts"],
  },
  {
    file: "infra/plan/pooler.ts",
    find: "const pooledShare = 0.8;",
    replace: "const pooledShare = 1;",
    tests: ["test/unit/infra/plan/pooler.test.ts"],
  },
];
