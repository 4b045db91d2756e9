import type { Mutation } from "../mutation.ts";

/** Mutations of the reference databases' migrations, with the test of the same database that must notice each. */
type DatabaseMutation = Omit<Mutation, "tests"> & { test: "schema" | "constraints" | "plans" };

function inDatabase(name: string, mutations: readonly DatabaseMutation[]): Mutation[] {
  return mutations.map(({ file, test, ...change }) => ({
    file: `migrations/${name}/committed/${file}`,
    ...change,
    tests: [`test/embedded/migrations/${name}/${test}.test.ts`],
  }));
}

export const databaseMutations: readonly Mutation[] = [
  ...inDatabase("trading", [
    {
      file: "000001-core-schema.sql",
      find: "  account_id uuid references accounts (id),\n",
      replace: "  account_id uuid,\n",
      test: "schema",
    },
    {
      file: "000005-risk.sql",
      find: "references stress_test_scenarios (id)",
      replace: "",
      test: "constraints",
    },
    { file: "000001-core-schema.sql", find: "  unique (provider, provider_reference),\n", replace: "", test: "schema" },
    {
      file: "000001-core-schema.sql",
      find: "references instruments (id) on delete cascade",
      replace: "references instruments (id)",
      test: "schema",
    },
    {
      file: "000001-core-schema.sql",
      find: "  opens_at time not null,",
      replace: "  opens_at time,",
      test: "schema",
    },
    {
      file: "000001-core-schema.sql",
      find: "  closes_at time not null,",
      replace: "  closes_at time,",
      test: "constraints",
    },
    {
      file: "000002-indexes.sql",
      find: "create index sessions_ip_idx on sessions (ip);\n",
      replace: "",
      test: "schema",
    },
    {
      file: "000002-indexes.sql",
      find: "on trades (account_id, executed_at desc) include (realized_pnl, commission)",
      replace: "on trades (account_id, executed_at desc)",
      test: "plans",
    },
    {
      file: "000002-indexes.sql",
      find: "on order_fills (order_id, executed_at) include (quantity, price)",
      replace: "on order_fills (order_id, executed_at)",
      test: "plans",
    },
    {
      file: "000002-indexes.sql",
      find: "on positions (account_id, instrument_id) where status = 'open' and is_netting",
      replace: "on positions (account_id, instrument_id) where status = 'open'",
      test: "schema",
    },
    {
      file: "000002-indexes.sql",
      find: "create index trades_settlement_idx on trades (settles_on);",
      replace: "create index trades_settlement_idx on trades (settles_on, account_id);",
      test: "schema",
    },
  ]),
  ...inDatabase("learning", [
    {
      file: "000006-attempts.sql",
      find: "  started_at timestamptz not null default now(),",
      replace: "  started_at timestamptz default now(),",
      test: "constraints",
    },
    {
      file: "000006-attempts.sql",
      find: "(assessment_id, status, percentage) include (user_id, passed)",
      replace: "(assessment_id, status, percentage)",
      test: "plans",
    },
    {
      file: "000005-enrolments-and-sessions.sql",
      find: "(course_id, status) include (progress_percentage)",
      replace: "(course_id, status)",
      test: "plans",
    },
    {
      file: "000008-mastery.sql",
      find: "  user_id uuid not null references users (id) on delete cascade,",
      replace: "  user_id uuid not null references users (id),",
      test: "schema",
    },
    {
      file: "000003-content.sql",
      find: "references courses (id) on delete cascade",
      replace: "",
      test: "constraints",
    },
  ]),
  ...inDatabase("kyb", [
    {
      file: "000001-initial-schema.sql",
      find: "  key_hash text not null unique check",
      replace: "  key_hash text not null check",
      test: "schema",
    },
    {
      file: "000001-initial-schema.sql",
      find: "references webhooks (id) on delete cascade",
      replace: "references webhooks (id)",
      test: "schema",
    },
    {
      file: "000001-initial-schema.sql",
      find: "  created_by uuid not null references users (id),",
      replace: "  created_by uuid not null,",
      test: "constraints",
    },
    {
      file: "000001-initial-schema.sql",
      find: "  confidence_score numeric(5,4) not null check",
      replace: "  confidence_score numeric(5,4) check",
      test: "constraints",
    },
  ]),
  ...inDatabase("pend", [
    {
      file: "000006-investments.sql",
      find: "  asset_id uuid not null references assets (id),",
      replace: "  asset_id uuid not null,",
      test: "constraints",
    },
    {
      file: "000004-identity-checks.sql",
      find: "references kyc_applications (id) on delete cascade",
      replace: "references kyc_applications (id)",
      test: "schema",
    },
    {
      file: "000006-investments.sql",
      find: "  fee numeric(20,6) not null check",
      replace: "  fee numeric(20,6) check",
      test: "constraints",
    },
    {
      file: "000006-investments.sql",
      find: "(placed_at desc) include (status, amount, asset_id)",
      replace: "(placed_at desc)",
      test: "plans",
    },
    {
      file: "000007-transactions.sql",
      find: "(created_at desc) include (transaction_type, status, amount)",
      replace: "(created_at desc)",
      test: "plans",
    },
  ]),
];
