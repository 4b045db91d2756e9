import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { count } from "../contents.ts";
import { describeVolume } from "../describe-volume.ts";
import { inTransaction, type MigratedDatabase, startMigratedDatabase } from "../migrated-database.ts";
import { runVolume } from "../volume.ts";

describeVolume("pend", { mainTable: "transactions", rows: 2_000 });

describe("the pend volume data", () => {
  let database: MigratedDatabase;

  beforeAll(async () => {
    database = await startMigratedDatabase("pend", ["reference", "dev"]);
    await runVolume(database.migrator, "pend", 5_000);
  });
  afterAll(() => database?.stop());

  it("has the ratios that its file header names, in addition to the seeds", async () => {
    const { migrator } = database;
    const { rows } = await migrator.query(`
      select (select count(*)::int from transactions where idempotency_key like 'volume:%') as transactions,
        (select count(*)::int from generate_series(1, 2000) as n join investments on id = md5('volume:investment:' || n)::uuid) as investments,
        (select count(*)::int from assets where code like 'VOL-%') as assets,
        (select count(*)::int from admin_users where email like '%@volume.example.com') as administrators`);
    expect(rows).toEqual([{ transactions: 5_000, investments: 1_000, assets: 50, administrators: 10 }]);
    const share = async (table: string) => (await count(migrator, table)) / 5_000;
    expect(await share("users")).toBeCloseTo(0.05, 2);
  });

  it("has transactions in every status, and users of every level", async () => {
    const { rows } = await database.migrator.query(`
      select array(select distinct status from transactions where idempotency_key like 'volume:%' order by 1) as transactions,
        array(select distinct transaction_type from transactions where idempotency_key like 'volume:%' order by 1) as types,
        array(select distinct kyc_level from users order by 1) as levels`);
    expect(rows).toEqual([
      {
        transactions: ["cancelled", "completed", "failed", "pending", "processing"],
        types: ["deposit", "distribution", "fee", "investment", "redemption", "withdrawal"],
        levels: [0, 1, 2, 3],
      },
    ]);
  });

  it("works with the triggers: an investment raises its pool", async () => {
    const { app } = database;
    await inTransaction(app, "rollback", async () => {
      const { rows } = await app.query(`
        insert into investments (user_id, asset_id, amount)
        select users.id, assets.id, assets.minimum_investment
        from users cross join assets
        where users.status = 'active' and users.tier_code = 'institutional'
          and assets.code like 'VOL-%' and assets.kind = 'pool' and assets.status in ('open', 'active')
          and assets.target_amount > assets.raised_amount + assets.minimum_investment
        limit 1 returning asset_id`);
      const { rows: sums } = await app.query(
        `select raised_amount = (select sum(amount) from investments where asset_id = assets.id and status <> 'cancelled') as adds_up
         from assets where id = $1`,
        [rows[0]?.asset_id],
      );
      expect(sums).toEqual([{ adds_up: true }]);
    });
  });

  it("has pending applications whose approval raises their user's level", async () => {
    const { app } = database;
    await inTransaction(app, "rollback", async () => {
      const { rows } = await app.query(
        "select id, user_id, level from kyc_applications where provider = 'volume' and status = 'in_review' limit 1",
      );
      const [application] = rows;
      await app.query(
        `update kyc_documents set status = 'accepted', verified_at = uploaded_at,
           verified_by = (select reviewed_by from kyc_applications where id = application_id) where application_id = $1`,
        [application.id],
      );
      await app.query(
        `update kyc_applications set status = 'approved', risk_rating = 'low', reviewed_at = now(), valid_until = now() + interval '1 year'
         where id = $1`,
        [application.id],
      );
      const { rows: lifted } = await app.query("select kyc_level from users where id = $1", [application.user_id]);
      expect(lifted).toEqual([{ kyc_level: application.level }]);
    });
  });

  it("writes no log of its initial rows", async () => {
    const { rows } = await database.migrator.query(
      "select from admin_logs where target_type = 'assets' and new_data ->> 'code' like 'VOL-%'",
    );
    expect(rows).toEqual([]);
  });
});
