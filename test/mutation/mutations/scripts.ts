import type { Mutation } from "../mutation.ts";

const unit = (path: string) => `test/unit/scripts/${path}.test.ts`;
const embedded = (path: string) => `test/embedded/scripts/${path}.test.ts`;

/** Mutations of scripts/, by room. */
export const scriptMutations: readonly Mutation[] = [
  // backup
  {
    file: "scripts/backup/diagnosis.ts",
    find: "code === 28 || /do not match",
    replace: "/do not match",
    tests: [unit("backup/diagnosis")],
  },
  {
    file: "scripts/backup/diagnosis.ts",
    find: "    when: (code) => code === 50,",
    replace: "    when: () => false,",
    tests: [unit("backup/diagnosis")],
  },
  {
    file: "scripts/backup/restore/in-place/logins.ts",
    find: "    ...Object.entries(passwords),\n",
    replace: "",
    tests: [unit("stack/declared-access")],
  },
  // connection
  {
    file: "scripts/connection/environment.ts",
    find: "if (parts.host === undefined && parts.database === undefined) return undefined;",
    replace: "if (parts.host === undefined) return undefined;",
    tests: [unit("connection/environment")],
  },
  {
    file: "scripts/connection/environment.ts",
    find: 'return env.PGHOST || env.PGDATABASE ? "PG*" : undefined;',
    replace: 'return env.PGHOST ? "PG*" : undefined;',
    tests: [unit("connection/environment")],
  },
  // docker
  {
    file: "scripts/docker/names.ts",
    find: "keys.every(",
    replace: "keys.some(",
    tests: ["test/unit/scripts/docker/names.test.ts"],
  },
  {
    file: "scripts/docker/server/wait.ts",
    find: "if (restarts - before > mostRestarts)",
    replace: "if (restarts < 0)",
    tests: ["test/docker/scripts/docker/server/wait.test.ts"],
  },
  {
    file: "scripts/docker/server/wait.ts",
    find: "if (!state.Running && !state.Restarting)",
    replace: "if (restarts < 0)",
    tests: ["test/docker/scripts/docker/server/wait.test.ts"],
  },
  // erase
  {
    file: "scripts/stack/erase/server-place.ts",
    find: "    if (running !== undefined) {",
    replace: "    if (running?.pid === 0) {",
    tests: [embedded("stack/erase/server-place")],
  },
  {
    file: "scripts/stack/erase/server-place.ts",
    find: "  const remains = await withServerLock(folder, async () => {\n    await requireOwn(ownership, place);",
    replace: "  const remains = await withServerLock(folder, async () => {",
    tests: [unit("stack/erase/server-place")],
  },
  {
    file: "scripts/stack/erase/server-place.ts",
    find: "  await requireUnclaimed(ownership, dataDirectory);",
    replace: "",
    tests: [unit("stack/erase/server-place")],
  },
  {
    file: "scripts/stack/erase/server-place.ts",
    find: "  await requireNoLink(dataDirectory);",
    replace: "",
    tests: [unit("stack/erase/server-place")],
  },
  // errors
  {
    file: "scripts/core/redact.ts",
    find: "    encodeURIComponent(secret),\n",
    replace: "",
    tests: [unit("core/redact")],
  },
  // files
  {
    file: "scripts/core/atomic-file.ts",
    find: "    chmodSync(temporary, wanted);",
    replace: "",
    tests: [unit("core/atomic-file")],
  },
  // lock
  {
    file: "scripts/core/folder-lock.ts",
    find: "if (!(await this.#isAbandoned())) return undefined;",
    replace: "",
    tests: [unit("core/folder-lock")],
  },
  {
    file: "scripts/core/folder-lock.ts",
    find: "performance.now() - this.#since > staleAfter",
    replace: "performance.now() - this.#since > 1_000",
    tests: [unit("core/folder-lock")],
  },
  // migrate
  {
    file: "scripts/migrate/run-pending.ts",
    find: "  if (pending.length === 0) return { applied: [] };",
    replace: "",
    tests: [embedded("migrate/deployers")],
  },
  {
    file: "scripts/migrate/run-pending.ts",
    find: '  await runHooks("afterAllMigrations", hooks);',
    replace: "",
    tests: [embedded("migrate/hooks")],
  },
  {
    file: "scripts/migrate/revert-plan.ts",
    find: '["edited", "missing", "reordered"]',
    replace: '["edited", "missing"]',
    tests: [embedded("migrate/down")],
  },
  {
    file: "scripts/migrate/revert-plan.ts",
    find: '["edited", "missing", "reordered"]',
    replace: '["missing", "reordered"]',
    tests: [embedded("migrate/down")],
  },
  {
    file: "scripts/migrate/lock-retry.ts",
    find: "if (seen.length > 0) blockers = seen;",
    replace: "blockers = seen;",
    tests: [embedded("migrate/locks")],
  },
  {
    file: "scripts/migrate/ledger.ts",
    find: "outcome not in ('failed', 'accepted')",
    replace: "outcome <> 'accepted'",
    tests: [embedded("migrate/repair/repair")],
  },
  {
    file: "scripts/migrate/ledger.ts",
    find: "outcome not in ('failed', 'accepted')",
    replace: "outcome <> 'failed'",
    tests: [embedded("migrate/tampering")],
  },
  {
    file: "scripts/migrate/index-build.ts",
    find: "      throw notValid(source.file, index, hint);",
    replace: "      return;",
    tests: [embedded("migrate/no-transaction")],
  },
  {
    file: "scripts/migrate/index-build.ts",
    find: "    await dropNew(client, index, others).catch(() => {});\n",
    replace: "",
    tests: [embedded("migrate/no-transaction")],
  },
  {
    file: "scripts/migrate/run-migration.ts",
    find: '  if (again && before === "valid") return null;',
    replace: "",
    tests: [embedded("migrate/no-transaction")],
  },
  {
    file: "scripts/migrate/selection.ts",
    find: "  if (idle.length > 0) {",
    replace: "  if (idle.length < 0) {",
    tests: [embedded("migrate/apply"), embedded("migrate/down"), embedded("migrate/tampering")],
  },
  // recover
  {
    file: "scripts/stack/recover/stack-locks.ts",
    find: '  const now = (await read(path))?.holder ?? holder;\n  const isGone = holderState(now) === "gone";',
    replace: "  const isGone = holder !== undefined;",
    tests: [unit("stack/recover/stack-locks")],
  },
  {
    file: "scripts/stack/recover/stack-locks.ts",
    find: "        if (unfinishedStill) await remove(path);",
    replace: "        await remove(path);",
    tests: [unit("stack/recover/stack-locks")],
  },
  {
    file: "scripts/stack/recover/half-written.ts",
    find: "const writtenWithin = 10 * 60_000;",
    replace: "const writtenWithin = 60_000;",
    tests: [unit("stack/recover/half-written")],
  },
  {
    file: "scripts/stack/recover/half-written.ts",
    find: "      if (isLeftStill) await rm(path, { recursive: true, force: true });",
    replace: "      await rm(path, { recursive: true, force: true });",
    tests: [unit("stack/recover/half-written")],
  },
  // seed
  {
    file: "scripts/seed/foreign-rows.ts",
    find: "f.confdeltype in ('n', 'd')",
    replace: "f.confdeltype = 'n'",
    tests: [embedded("seed/clear")],
  },
  {
    file: "scripts/seed/foreign-rows.ts",
    find: "when f.confdeltype = 'c' then 'deletes them' ",
    replace: "",
    tests: [embedded("seed/clear")],
  },
  {
    file: "scripts/seed/clear.ts",
    find: "    requireExpected(cleared);",
    replace: "",
    tests: [embedded("seed/clear")],
  },
];
