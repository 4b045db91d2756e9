import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeSeeds } from "../describe-seeds.ts";
import { applySeeds, type MigratedDatabase, startMigratedDatabase } from "../migrated-database.ts";

describeSeeds("pend", {
  figures: {
    reference: { user_tiers: 5, admin_permissions: 63, users: 0, admin_users: 0, assets: 0 },
    dev: {
      admin_users: 4,
      users: 7,
      kyc_applications: 13,
      kyc_documents: 20,
      assets: 9,
      investments: 12,
      investment_agreements: 32,
      system_metrics: 192,
      api_usage_logs: 200,
    },
    demo: {
      admin_users: 7,
      users: 247,
      assets: 49,
      investments: 712,
      system_logs: 786,
      system_metrics: 2208,
      api_usage_logs: 4200,
    },
  },
  logins: {
    table: `(select email, password_hash, status from users union all select email, password_hash, status from admin_users) as people`,
    email: "email",
    hash: "password_hash",
    active: "status = 'active' and password_hash is not null",
  },
});

describe("the pend seeds", () => {
  let database: MigratedDatabase;

  beforeAll(async () => {
    database = await startMigratedDatabase("pend", ["reference"]);
  });
  afterAll(() => database?.stop());

  // Each test uses the sets that the tests before it applied.
  it("work with the demo set alone", async () => {
    await applySeeds(database, "demo");
    expect(await findings()).toEqual([]);
  });

  it("have no integrity findings with the dev set", async () => {
    await applySeeds(database, "dev");
    expect(await findings()).toEqual([]);
  });

  it.each([
    ["users", ["active", "pending", "suspended"]],
    ["kyc_applications", ["approved", "draft", "expired", "in_review", "rejected", "submitted", "withdrawn"]],
    ["assets", ["active", "cancelled", "closed", "draft", "funded", "matured", "open"]],
    ["investments", ["active", "cancelled", "defaulted", "pending", "redeemed"]],
    ["transactions", ["cancelled", "completed", "failed", "pending", "processing"]],
    ["blockchain_events", ["failed", "ignored", "orphaned", "pending", "processed"]],
    ["contract_interactions", ["confirmed", "reverted", "submitted"]],
  ])("have %s in every resting status", async (table, statuses) => {
    const { rows } = await database.migrator.query(`select distinct status from ${table} order by 1`);
    expect(rows.map(({ status }) => status)).toEqual(statuses);
  });

  it("keep what an operator set in a tier, and restore a shipped permission", async () => {
    const { migrator } = database;
    await migrator.query("update user_tiers set fee_rate = 0.5, name = 'Renamed' where code = 'basic'");
    await migrator.query("delete from admin_permissions where role = 'support'");
    await applySeeds(database, "reference");
    const { rows } = await migrator.query(
      `select name, fee_rate, (select count(*)::int from admin_permissions where role = 'support') as permissions
       from user_tiers where code = 'basic'`,
    );
    expect(rows).toEqual([{ name: "Basic", fee_rate: "0.500000", permissions: 6 }]);
  });

  async function findings() {
    return (await database.migrator.query("select * from integrity_findings()")).rows;
  }
});
