import { randomUUID } from "node:crypto";
import type { Kysely } from "kysely";
import {
  InvalidValueError,
  NotFoundError,
  type Pool,
  RuleViolationError,
  VersionConflictError,
  withRequestContext,
} from "pgroundwork";
import { kyselyOn } from "pgroundwork/kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as fills from "../../../../migrations/trading/data/fills.ts";
import * as orders from "../../../../migrations/trading/data/orders.ts";
import * as positions from "../../../../migrations/trading/data/positions.ts";
import * as limits from "../../../../migrations/trading/data/risk-limits.ts";
import type { DB } from "../../../../migrations/trading/types.ts";
import { type MigratedDatabase, startMigratedDatabase } from "../migrated-database.ts";
import { callWithHostileTexts, poolOf } from "../pool.ts";
import { seeded } from "./cases/seeded.ts";

let database: MigratedDatabase;
let pool: Pool;
let db: Kysely<DB>;
beforeAll(async () => {
  database = await startMigratedDatabase("trading", ["reference", "dev"]);
  pool = poolOf(database);
  db = kyselyOn<DB>(pool);
});
afterAll(async () => {
  await pool.end();
  await database.stop();
});

const asTrader = <T>(run: () => Promise<T>) =>
  withRequestContext({ userId: seeded.trader, clientIp: "192.0.2.9", requestId: "data-test" }, run);

function terms(side: "buy" | "sell", quantity: string): orders.OrderTerms {
  return {
    ...{ account_id: seeded.account, instrument_id: seeded.instrument, client_order_id: randomUUID(), side, quantity },
    ...{ order_type: "market", time_in_force: "ioc" },
  };
}

function execution(quantity: string, price: string): fills.Execution {
  return { venue: "data-test", execution_id: randomUUID(), quantity, price, settlesOn: "2099-01-01" };
}

describe("placing and filling an order", () => {
  it("moves order, position and trades together, exact to the last digit", () =>
    asTrader(async () => {
      const fill = (side: "buy" | "sell", quantity: string, price: string) =>
        fills.placeAndFill(pool, terms(side, quantity), execution(quantity, price));
      const opened = await fill("buy", "1000", "0.65");
      expect(opened.order).toMatchObject({ status: "filled", user_id: seeded.trader, ip: "192.0.2.9" });
      expect(opened.position).toMatchObject({ side: "long", quantity: "1000.00000000" });
      const more = await fill("buy", "2000", "0.6500000003");
      expect(more.position).toMatchObject({
        id: opened.position.id,
        average_entry_price: "0.6500000002",
        quantity: "3000.00000000",
      });
      const part = await fill("sell", "500", "0.67");
      expect(part.trade).toMatchObject({ is_closing: true, realized_pnl: "9.99999990" });
      await expect(fill("sell", "5000", "0.67")).rejects.toThrow(InvalidValueError);
      const closed = await fill("sell", "2500", "0.60");
      expect(closed.position).toMatchObject({
        status: "closed",
        quantity: "0.00000000",
        realized_pnl: "-115.00000060",
      });
      const short = await fill("sell", "100", "0.66");
      expect(short.position.side).toBe("short");
      expect((await fill("buy", "100", "0.65")).trade.realized_pnl).toBe("1.00000000");
      const listed = await positions.listPositions(db, seeded.account, { status: "closed" }, { limit: 2 });
      expect(listed.rows.map(({ id }) => id)).toEqual([short.position.id, closed.position.id]);
      expect(await positions.readPosition(db, short.position.id)).toMatchObject({ status: "closed" });
      const { rows } = await database.superuser.query(
        "select count(*)::int as n from order_fills where venue = 'data-test'",
      );
      expect(rows).toEqual([{ n: 6 }]);
    }));

  it("is done once for the same ids, also at the same moment", () =>
    asTrader(async () => {
      const [order, report] = [terms("buy", "10"), execution("10", "0.65")];
      const results = await Promise.all([1, 2, 3].map(() => fills.placeAndFill(pool, order, report)));
      expect(new Set(results.map(({ trade }) => trade.id)).size).toBe(1);
      expect(await orders.findOrder(db, seeded.account, order.client_order_id)).toMatchObject({ status: "filled" });
    }));
});

describe("orders and limits", () => {
  it("are cancelled by version", () =>
    asTrader(async () => {
      const limit = { ...terms("buy", "10"), order_type: "limit", time_in_force: "gtc", limit_price: "0.5" } as const;
      const placed = await orders.placeOrder(db, limit);
      expect(await orders.placeOrder(db, limit)).toMatchObject({ id: placed.id });
      const accepted = await orders.acceptOrder(db, placed.id);
      await expect(orders.cancelOrder(db, placed.id, placed.version)).rejects.toThrow(VersionConflictError);
      await orders.cancelOrder(db, placed.id, accepted.version);
      const cancelled = await orders.listOrders(db, seeded.account, { status: "cancelled" });
      expect(cancelled.rows.map(({ id }) => id)).toContain(placed.id);
      const wrong = orders.placeOrder(db, { ...terms("buy", "10"), limit_price: "1" });
      await expect(wrong).rejects.toMatchObject({ constraint: "orders_prices_fit_type" });
      await callWithHostileTexts((text) => orders.findOrder(db, seeded.account, text));
      await callWithHostileTexts((text) => orders.placeOrder(db, { ...terms("buy", "10"), client_order_id: text }));
    }));

  it("refuse an order that is worth more than its limit", () =>
    asTrader(async () => {
      const planned = { accountId: seeded.account, instrumentId: seeded.instrument, quantity: "1", price: "0.65" };
      const limit = await limits.createRiskLimit(db, {
        ...{ name: "data-test", limit_type: "order_notional", scope: "account", account_id: seeded.account },
        ...{ unit: "currency", currency: "USD", threshold: "100000000", action: "block_orders" },
      });
      expect(limit.created_by).toBe(seeded.trader);
      await limits.checkOrderLimits(db, planned);
      const large = { ...planned, quantity: "100000000000" };
      await expect(limits.checkOrderLimits(db, large)).rejects.toThrow(RuleViolationError);
      const quantity = "1000000000";
      const priced = {
        ...terms("buy", quantity),
        order_type: "limit",
        time_in_force: "gtc",
        limit_price: "0.5",
      } as const;
      await expect(orders.placeOrder(db, priced)).rejects.toThrow('exceeds the limit "data-test"');
      const market = fills.placeAndFill(pool, terms("buy", quantity), execution(quantity, "0.5"));
      await expect(market).rejects.toThrow(RuleViolationError);
      await expect(orders.findOrder(db, seeded.account, priced.client_order_id)).rejects.toThrow(NotFoundError);
      // An order from before the limit is still the same order.
      await limits.updateRiskLimit(db, limit.id, { is_active: false });
      const placed = await orders.placeOrder(db, priced);
      await limits.updateRiskLimit(db, limit.id, { is_active: true });
      expect(await orders.placeOrder(db, priced)).toMatchObject({ id: placed.id });
      await limits.updateRiskLimit(db, limit.id, { is_active: false });
      expect((await limits.listRiskLimits(db)).rows.map(({ id }) => id)).not.toContain(limit.id);
    }));
});
