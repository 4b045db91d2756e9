import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeSeeds } from "../describe-seeds.ts";
import {
  applySeeds,
  inTransaction,
  type MigratedDatabase,
  seedFiles,
  startMigratedDatabase,
} from "../migrated-database.ts";

describeSeeds("trading", {
  figures: {
    reference: {
      currencies: 15,
      roles: 6,
      permissions: 21,
      stress_test_scenarios: 7,
      margin_requirements: 30,
      users: 0,
      accounts: 0,
      instruments: 0,
      orders: 0,
    },
    dev: {
      users: 4,
      instruments: 15,
      accounts: 4,
      liquidity_providers: 4,
      sor_rules: 4,
      risk_limits: 5,
      circuit_breakers: 3,
      orders: 16,
      order_fills: 10,
      trades: 10,
      positions: 6,
      lp_quotes: 936,
      price_bars: 1080,
    },
    demo: {},
  },
  empty: ["password_reset_tokens"],
});

describe("the trading seeds", () => {
  let database: MigratedDatabase;

  beforeAll(async () => {
    database = await startMigratedDatabase("trading", ["reference", "dev"]);
  });
  afterAll(() => database?.stop());

  it("have orders in every resting status in the dev set", async () => {
    const { rows } = await database.migrator.query("select distinct status from orders order by 1");
    expect(rows.map(({ status }) => status)).toEqual([
      "cancelled",
      "expired",
      "filled",
      "new",
      "partially_filled",
      "pending_new",
      "rejected",
    ]);
  });

  it("have balances, orders and positions that add up", async () => {
    await applySeeds(database, "demo");
    const { rows } = await database.migrator.query(`
      select
        (select count(*)::int from accounts where balance <> (select coalesce(sum(amount), 0) from account_transactions where account_id = accounts.id)) as balances,
        (select count(*)::int from orders where filled_quantity <> (select coalesce(sum(quantity), 0) from order_fills where order_id = orders.id)) as orders,
        (select count(*)::int from positions where status = 'open' and quantity <>
          (select coalesce(sum(case when (trades.side = 'buy') = (positions.side = 'long') then trades.quantity else -trades.quantity end), 0)
           from trades where position_id = positions.id)) as positions,
        (select count(*)::int from positions where realized_pnl <>
          (select coalesce(sum(realized_pnl), 0) from trades where position_id = positions.id)) as results`);
    expect(rows).toEqual([{ balances: 0, orders: 0, positions: 0, results: 0 }]);
  });

  it("keep a developer's changes to activity, and restore what a login needs", async () => {
    const { migrator } = database;
    await inTransaction(migrator, "rollback", async () => {
      await migrator.query(
        "update users set locked_until = now() + interval '1 day', failed_login_attempts = 5 where username = 'trader1'",
      );
      await migrator.query("update accounts set name = 'Mine' where account_number = 'LIVE-100001'");
      for (const path of await seedFiles("trading", "dev")) await migrator.query(await readFile(path, "utf8"));
      const { rows } = await migrator.query(
        "select locked_until, failed_login_attempts, name from users join accounts on user_id = users.id where account_number = 'LIVE-100001'",
      );
      expect(rows).toEqual([{ locked_until: null, failed_login_attempts: 0, name: "Mine" }]);
    });
  });
});
