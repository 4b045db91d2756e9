import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { count } from "../contents.ts";
import { describeVolume } from "../describe-volume.ts";
import { inTransaction, type MigratedDatabase, startMigratedDatabase } from "../migrated-database.ts";
import { runVolume } from "../volume.ts";

describeVolume("kyb", { mainTable: "businesses", rows: 1_003 });

describe("the kyb volume data", () => {
  let database: MigratedDatabase;

  beforeAll(async () => {
    database = await startMigratedDatabase("kyb", ["reference", "dev"]);
    await runVolume(database.migrator, "kyb", 2_000);
  });
  afterAll(() => database?.stop());

  const share = async (table: string) => Math.round((10 * (await count(database.migrator, table))) / 2_000) / 10;

  it("has the ratios that its file header names, in addition to the seeds", async () => {
    expect(await count(database.migrator, "businesses")).toBe(2_000 + 12);
    expect(await count(database.migrator, "business_classifications")).toBe(2_000 + 13);
    expect(await count(database.migrator, "users")).toBe(20 + 5);
    expect(await count(database.migrator, "webhook_events")).toBe(400 + 5);
    expect(await share("compliance_checks")).toBeCloseTo(2.2, 0);
    expect(await share("risk_assessments")).toBeCloseTo(1.3, 0);
    expect(await share("external_service_calls")).toBeCloseTo(1.2, 0);
  });

  it("has businesses in every status, of every risk and compliance, and few customers with most of them", async () => {
    const { rows } = await database.migrator.query(`
      select count(distinct status)::int as statuses, count(distinct coalesce(risk_level, 'unknown'))::int as risks,
        count(distinct compliance_status)::int as compliances,
        (select max(number) > 5 * avg(number) from (select count(*) as number from businesses group by created_by) as entered) as skewed
      from businesses where metadata ->> 'source' = 'volume'`);
    expect(rows).toEqual([{ statuses: 6, risks: 5, compliances: 5, skewed: true }]);
  });

  it("contains nothing that the triggers would refuse or change", async () => {
    expect((await database.migrator.query("select * from integrity_findings()")).rows).toEqual([]);
  });

  it("works with the triggers: a passed check lets its business become active", async () => {
    const { app } = database;
    await inTransaction(app, "rollback", async () => {
      const { rows } = await app.query<{ business_id: string }>(
        `update compliance_checks set status = 'passed', started_at = coalesce(started_at, now()), completed_at = now(),
           valid_until = now() + interval '1 year'
         where id = (
           select compliance_checks.id from compliance_checks join businesses on businesses.id = business_id
           where compliance_checks.status = 'in_progress' and businesses.status = 'pending_review' limit 1)
         returning business_id`,
      );
      const active = await app.query(
        "update businesses set status = 'active', verified_at = now() where id = $1 returning compliance_status",
        [rows[0]?.business_id],
      );
      expect(active.rows).toEqual([{ compliance_status: "compliant" }]);
    });
  });
});
