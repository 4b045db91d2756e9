import type { Mutation } from "../mutation.ts";

const embedded = (path: string) => `test/embedded/${path}.test.ts`;
const client = (name: string) => embedded(`scripts/client/${name}`);

/** Mutations of scripts/client. */
export const clientMutations: readonly Mutation[] = [
  // statements and their limits
  {
    file: "scripts/client/pool.ts",
    find: "return values === undefined ? statement : { ...statement, values };",
    replace: "return statement;",
    tests: [client("check-outs")],
  },
  {
    file: "scripts/client/pooled-statements.ts",
    find: "if (!settings.pooled) return send;",
    replace: "return send;",
    tests: [embedded("scripts/connection/pooler")],
  },
  {
    file: "scripts/client/pooled-statements.ts",
    find: "if (!settings.pooled) return false;",
    replace: "return false;",
    tests: [embedded("scripts/connection/pooler")],
  },
  {
    file: "scripts/client/pooled-statements.ts",
    find: 'client.query<Row>("commit"),',
    replace: 'client.query<Row>("rollback"),',
    tests: [embedded("scripts/connection/pooler")],
  },
  {
    file: "scripts/client/permits.ts",
    find: "if (at < this.#timerAt) this.#schedule(at);",
    replace: "if (this.#timer === undefined) this.#schedule(at);",
    tests: ["test/unit/scripts/client/permits.test.ts"],
  },
  {
    file: "scripts/client/permits.ts",
    find: "if (this.#waiters.size > 0) this.#schedule(next);",
    replace: "",
    tests: ["test/unit/scripts/client/permits.test.ts"],
  },
  // transactions whose connection is lost
  {
    file: "scripts/client/commit.ts",
    find: 'if (outcome.result === "committed") return;',
    replace: "",
    tests: [client("cuts")],
  },
  {
    file: "scripts/client/commit.ts",
    find: "core.giveBack(checkout);\n    const outcome",
    replace: "const outcome",
    tests: [client("cuts")],
  },
  {
    file: "scripts/client/commit.ts",
    find: "if (readOnly) throw new AbortedCommitError(error);",
    replace: "",
    tests: [client("cuts")],
  },
  {
    file: "scripts/client/commit.ts",
    find: 'if (row === undefined || systemOf(row.run) !== systemOf(runBefore)) return { reason: "another server answers now" };',
    replace: "",
    tests: [client("failover")],
  },
  {
    file: "scripts/client/commit.ts",
    find: 'status === "committed" && row.run !== runBefore',
    replace: 'status === "committed" && row.run === ""',
    tests: [client("cuts")],
  },
  {
    file: "scripts/client/commit.ts",
    find: 'if (row.timeline !== before) return { reason: "a standby was promoted" };',
    replace: "",
    tests: [client("replicas")],
  },
  {
    file: "scripts/client/retry.ts",
    find: "if (error instanceof OutcomeUnknownError) return new FailedAttempt(error, false);",
    replace: "if (error instanceof OutcomeUnknownError) return new FailedAttempt(error, true);",
    tests: [client("cuts")],
  },
  {
    file: "scripts/client/retry.ts",
    find: "isConflict(error) || demoted",
    replace: "demoted",
    tests: [client("cuts"), client("outages"), client("check-outs")],
  },
  {
    file: "scripts/client/retry-budget.ts",
    find: "this.#tokens -= 1;",
    replace: "",
    tests: ["test/unit/scripts/client/retry-budget.test.ts"],
  },
  // sessions
  {
    file: "scripts/client/session.ts",
    find: '  "reset all",\n',
    replace: "",
    tests: [client("check-outs")],
  },
  {
    file: "scripts/client/session.ts",
    find: '  "select pg_catalog.pg_advisory_unlock_all()",\n',
    replace: "",
    tests: [client("check-outs")],
  },
  {
    file: "scripts/client/checkouts.ts",
    find: "[...this.all].every(({ waiting }) => waiting > 0)",
    replace: "[...this.all].every(({ waiting }) => waiting < 0)",
    tests: [client("check-outs")],
  },
  // reads from standbys
  {
    file: "scripts/client/replicas/replicas.ts",
    find: "if (writes !== undefined && writes.running > 0) return undefined;",
    replace: "",
    tests: [client("replicas")],
  },
  {
    file: "scripts/client/replicas/replicas.ts",
    find: "writes?.endedAt ?? Number.NEGATIVE_INFINITY",
    replace: "Number.NEGATIVE_INFINITY",
    tests: [client("replicas")],
  },
  {
    file: "scripts/client/request-session.ts",
    find: "if (changed) writes.endedAt",
    replace: "if (!changed) writes.endedAt",
    tests: [client("replicas")],
  },
  // cache
  {
    file: "scripts/client/cache/cache.ts",
    find: "if (performance.now() - startedAt >= ttlMs) return false;",
    replace: "",
    tests: [client("cache")],
  },
  {
    file: "scripts/client/cache/cache.ts",
    find: "(this.#changed.get(table) ?? 0) <= change",
    replace: "(this.#changed.get(table) ?? 0) >= 0",
    tests: [client("cache")],
  },
  {
    file: "scripts/client/cache/cache.ts",
    find: "this.#listening && !newer && this.#isCurrent",
    replace: "this.#listening && this.#isCurrent",
    tests: [client("cache")],
  },
  {
    file: "scripts/client/cache/cache.ts",
    find: "JSON.stringify([key, tables, context])",
    replace: "JSON.stringify([key, tables])",
    tests: [client("cache")],
  },
  // data access
  {
    file: "scripts/client/domain-errors.ts",
    find: '  "23503": RelatedRowError,\n',
    replace: "",
    tests: [embedded("migrations/kyb/data")],
  },
  {
    file: "scripts/client/domain-errors.ts",
    find: "if (row !== undefined || !exists) return",
    replace: "if (row !== undefined) return",
    tests: [embedded("migrations/kyb/data")],
  },
  {
    file: "scripts/client/domain-errors.ts",
    find: "if (!userId && !apiKeyId && !adminUserId)",
    replace: "if (!userId && !apiKeyId)",
    tests: [embedded("migrations/pend/data")],
  },
];
