import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inTransaction, type MigratedDatabase, refusal, startMigratedDatabase } from "../migrated-database.ts";
import { seeded } from "./cases/seeded.ts";

let database: MigratedDatabase;

beforeAll(async () => {
  database = await startMigratedDatabase("pend", ["reference", "dev"]);
});
afterAll(() => database?.stop());

describe("the analytics", () => {
  it("add up to their source rows, for the app and for readers", async () => {
    await database.migrator.query("select refresh_analytics()");
    for (const client of [database.app, database.readonly]) {
      const { rows } = await client.query(`
        select (select sum(transactions) from transaction_days) = (select count(*) from transactions) as transactions,
          (select sum(amount) from transaction_days) = (select sum(amount) from transactions) as amount,
          (select sum(invested) from asset_statistics) = (select sum(amount) from investments where status in ('pending', 'active')) as invested,
          (select sum(redeemed) from asset_statistics) = (select sum(redeemed_amount) from investments) as redeemed,
          (select count(*) from asset_statistics) = (select count(*) from assets) as assets`);
      expect(rows).toEqual([{ transactions: true, amount: true, invested: true, redeemed: true, assets: true }]);
    }
  });

  it("count a user once per asset, and leave out what has ended", async () => {
    const { rows } = await database.app.query(
      `select code, investors::int, investments::int, invested::int, redeemed::int, defaulted::int
       from asset_statistics join assets on assets.id = asset_id where code in ('SOLAR-SET', 'OFFICE-HAM', 'COCOA-POOL', 'INVOICE-POOL') order by code`,
    );
    expect(rows).toEqual([
      { code: "COCOA-POOL", investors: 1, investments: 2, invested: 5000, redeemed: 0, defaulted: 300 },
      { code: "INVOICE-POOL", investors: 1, investments: 2, invested: 900, redeemed: 0, defaulted: 0 },
      { code: "OFFICE-HAM", investors: 0, investments: 1, invested: 0, redeemed: 4120, defaulted: 0 },
      { code: "SOLAR-SET", investors: 3, investments: 3, invested: 23_700, redeemed: 0, defaulted: 0 },
    ]);
  });

  it("stay unchanged until the owner refreshes them", async () => {
    const { app, migrator } = database;
    expect((await refusal(app.query("select refresh_analytics()"))).message).toBe(
      "permission denied for function refresh_analytics",
    );
    await inTransaction(migrator, "rollback", async () => {
      const invested = async () => {
        const { rows } = await migrator.query("select invested::int from asset_statistics where asset_id = $1", [
          seeded.asset,
        ]);
        return rows[0]?.invested;
      };
      await migrator.query("insert into investments (user_id, asset_id, amount) values ($1, $2, 100)", [
        seeded.alice,
        seeded.asset,
      ]);
      expect(await invested()).toBe(23_700);
      await migrator.query("select refresh_analytics()");
      expect(await invested()).toBe(23_800);
    });
  });
});
