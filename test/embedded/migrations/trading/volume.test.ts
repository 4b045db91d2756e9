import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { count } from "../contents.ts";
import { describeVolume } from "../describe-volume.ts";
import { inTransaction, type MigratedDatabase, startMigratedDatabase } from "../migrated-database.ts";
import { runVolume } from "../volume.ts";

describeVolume("trading", { mainTable: "orders", rows: 2_000 });

describe("the trading volume data", () => {
  let database: MigratedDatabase;

  beforeAll(async () => {
    database = await startMigratedDatabase("trading", ["reference", "dev"]);
    await runVolume(database.migrator, "trading", 8_000);
  });
  afterAll(() => database?.stop());

  it("has the ratios that its file header names, in addition to the seeds", async () => {
    const { migrator } = database;
    const { rows } = await migrator.query(`
      select (select count(*)::int from orders where client_order_id like 'v%') as orders,
        (select count(*)::int from positions where id in (select position_id from orders where client_order_id like 'v%')) as positions,
        (select count(*)::int from users where email ~ '\\.\\d+@') as users,
        (select count(*)::int from accounts where account_number like 'VOL-%') as accounts`);
    expect(rows).toEqual([{ orders: 8_000, positions: 2_000, users: 160, accounts: 192 }]);
    expect(await count(migrator, "instruments")).toBe(515);
    const trades = (await count(migrator, "trades")) / 8_000;
    expect(trades).toBeGreaterThan(0.55);
    expect(trades).toBeLessThan(0.57);
    expect(await count(migrator, "trades")).toBe(await count(migrator, "order_fills"));
  });

  it("has orders in every resting status, and open and closed positions", async () => {
    const { rows } = await database.migrator.query(`
      select array(select distinct status from orders where client_order_id like 'v%' order by 1) as orders,
        array(select distinct status from positions order by 1) as positions`);
    expect(rows).toEqual([
      { orders: ["cancelled", "expired", "filled", "new", "rejected"], positions: ["closed", "open"] },
    ]);
  });

  it("works with the triggers: a fill moves its order, a booking its balance", async () => {
    const { app } = database;
    await inTransaction(app, "rollback", async () => {
      const { rows } = await app.query(
        "select id, account_id, quantity from orders where client_order_id like 'v%' and status = 'new' limit 1",
      );
      const [order] = rows;
      await app.query(
        "insert into order_fills (order_id, venue, execution_id, quantity, price) values ($1, 'TEST', 'after volume', $2, 1)",
        [order.id, order.quantity],
      );
      await app.query(
        "insert into account_transactions (account_id, transaction_type, amount, idempotency_key) values ($1, 'fee', -1, 'after volume')",
        [order.account_id],
      );
      await app.query("set constraints all immediate");
      const { rows: after } = await app.query(
        `select orders.status, balance = (select sum(amount) from account_transactions where account_id = accounts.id) as adds_up
         from orders join accounts on accounts.id = account_id where orders.id = $1`,
        [order.id],
      );
      expect(after).toEqual([{ status: "filled", adds_up: true }]);
    });
  });

  it("writes no audit of its initial rows", async () => {
    expect(await count(database.migrator, "position_audit")).toBeLessThan(100);
  });
});
