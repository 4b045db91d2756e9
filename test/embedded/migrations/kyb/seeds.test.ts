import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeSeeds } from "../describe-seeds.ts";
import { type MigratedDatabase, startMigratedDatabase } from "../migrated-database.ts";
import { seeded } from "./cases/seeded.ts";

describeSeeds("kyb", {
  figures: {
    reference: {
      industry_codes: 58,
      roles: 6,
      permissions: 23,
      role_permissions: 68,
      users: 0,
      businesses: 0,
      api_keys: 0,
    },
    dev: {
      users: 5,
      role_assignments: 7,
      businesses: 12,
      business_classifications: 13,
      risk_assessments: 18,
      compliance_checks: 56,
      api_keys: 5,
      webhooks: 3,
      webhook_events: 5,
      external_service_calls: 25,
    },
    demo: { users: 13, businesses: 312, business_classifications: 313, api_keys: 10, compliance_checks: 1_541 },
  },
  // One-time tokens are only created when they are needed.
  empty: ["email_verification_tokens", "password_reset_tokens"],
});

describe("the kyb seeds", () => {
  let database: MigratedDatabase;

  beforeAll(async () => {
    database = await startMigratedDatabase("kyb", ["reference", "dev", "demo"]);
  });
  afterAll(() => database?.stop());

  const values = async (sql: string) => {
    const { rows } = await database.migrator.query<{ value: string }>(sql);
    return rows.map(({ value }) => value);
  };

  it("have businesses in every status, of every risk and compliance, in the dev set", async () => {
    const of = (column: string) =>
      values(`select distinct ${column} as value from businesses where metadata ->> 'source' = 'seed' order by 1`);
    expect(await of("status")).toEqual(["active", "closed", "draft", "pending_review", "rejected", "suspended"]);
    expect(await of("coalesce(risk_level, 'unknown')")).toEqual(["critical", "high", "low", "medium", "unknown"]);
    expect(await of("compliance_status")).toEqual([
      "compliant",
      "non_compliant",
      "not_checked",
      "pending",
      "under_review",
    ]);
  });

  it("contain nothing that the triggers would refuse or change", async () => {
    expect((await database.migrator.query("select * from integrity_findings()")).rows).toEqual([]);
  });

  it("give the administrator every permission, and the analyst and the test user their own", async () => {
    const of = (id: string) => values(`select user_permissions as value from user_permissions('${id}') order by 1`);
    expect(await of(seeded.admin)).toEqual(await values("select name as value from permissions order by 1"));
    expect(await of(seeded.analyst)).toContain("risk:assess");
    expect(await of(seeded.analyst)).not.toContain("role:assign");
    expect(await of(seeded.test)).toEqual([
      "api_key:manage_own",
      "business:create",
      "business:read_own",
      "webhook:manage_own",
    ]);
    expect(await of(seeded.newcomer)).toEqual([]);
  });

  it("have API keys in the dev set that are found by their hash and work while they are valid", async () => {
    const { rows } = await database.migrator.query(
      `select name, api_key_may(id, 'business:create') as creates, api_key_may(id, 'risk:assess') as assesses
       from api_keys where environment = 'test' and key_hash = any (
         select encode(sha256(convert_to(key, 'UTF8')), 'hex') from unnest($1::text[]) as key)
       order by key_prefix`,
      [["admin001", "analyst1", "user0001", "expired1", "revoked1"].map((prefix) => `kyb_test_${prefix}-dev-only`)],
    );
    expect(rows).toEqual([
      { name: "Operations", creates: true, assesses: true },
      { name: "Research notebook", creates: false, assesses: true },
      { name: "Last year's integration", creates: false, assesses: false },
      { name: "Lost key", creates: false, assesses: false },
      { name: "Test integration", creates: true, assesses: false },
    ]);
  });

  it("fill a year in the demo set, and nothing after the day on which they were first applied", async () => {
    const { rows } = await database.migrator.query(
      `select (select count(distinct date_trunc('month', created_at)) from businesses) >= 12 as months,
         (select count(*)::int from businesses where created_at > today.created_at) as businesses,
         (select count(*)::int from risk_assessments where assessed_at > today.created_at) as assessments,
         (select count(*)::int from external_service_calls where called_at > today.created_at) as calls,
         (select count(*)::int from webhook_events where created_at > today.created_at) as events
       from users as today where id = $1`,
      [seeded.admin],
    );
    expect(rows).toEqual([{ months: true, businesses: 0, assessments: 0, calls: 0, events: 0 }]);
  });
});
