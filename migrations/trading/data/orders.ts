import type { Insertable, Kysely, Selectable } from "kysely";
import { actingUser, found, foundVersion, RuleViolationError, read, requestContext, write } from "pgroundwork";
import { type PageRequest, pageOf } from "pgroundwork/kysely";
import type { DB, Orders } from "../types.ts";
import { checkOrderLimits } from "./risk-limits.ts";

export type Order = Selectable<Orders>;

/** Terms of an order, which its client chooses. `client_order_id` twice is one order. */
export type OrderTerms = Omit<
  Insertable<Orders>,
  "user_id" | "session_id" | "ip" | "status" | "version" | "filled_quantity" | "average_fill_price"
>;

/**
 * Places an order as the acting user, or returns the one that has this `client_order_id` already.
 *
 * @param expectedPrice price that the order's value is checked with. Without it, that is its limit or stop price; the
 *   value of a market order is not known then, and not checked.
 * @throws RuleViolationError if the order is worth more than a limit that is in force allows
 */
export function placeOrder(
  db: Kysely<DB>,
  terms: OrderTerms,
  expectedPrice = terms.limit_price ?? terms.stop_price,
): Promise<Order> {
  const { sessionId = null, clientIp = null } = requestContext() ?? {};
  const values = { ...terms, user_id: actingUser(), session_id: sessionId, ip: clientIp };
  return write(async () => {
    if (expectedPrice != null) {
      const before = await placedBefore(db, terms, String(expectedPrice));
      if (before !== undefined) return before;
    }
    const placed = await db
      .insertInto("orders")
      .values(values)
      .onConflict((conflict) => conflict.columns(["account_id", "client_order_id"]).doNothing())
      .returningAll()
      .executeTakeFirst();
    return placed ?? (await findOrder(db, terms.account_id, terms.client_order_id));
  });
}

/** Accepts an order: from now on, it takes fills. */
export async function acceptOrder(db: Kysely<DB>, id: string): Promise<Order> {
  const update = db
    .updateTable("orders")
    .set(({ fn }) => ({ status: "new" as const, accepted_at: fn<string>("now") }))
    .where("id", "=", id);
  return found(await write(() => update.returningAll().executeTakeFirst()), "order", id);
}

/** Returns an order. */
export async function readOrder(db: Kysely<DB>, id: string): Promise<Order> {
  return found(await read(() => rows(db).where("id", "=", id).executeTakeFirst()), "order", id);
}

/** Returns the order with its client's own id. */
export async function findOrder(db: Kysely<DB>, accountId: string, clientOrderId: string): Promise<Order> {
  const query = ofClient(db, accountId, clientOrderId);
  return found(await read(() => query.executeTakeFirst()), "order", clientOrderId);
}

/**
 * Cancels an order.
 *
 * @param version version that was read; another one means that it was filled or changed meanwhile
 */
export async function cancelOrder(db: Kysely<DB>, id: string, version: number): Promise<Order> {
  return write(async () => {
    const row = await db
      .updateTable("orders")
      .set(({ fn }) => ({ status: "cancelled" as const, cancelled_at: fn<string>("now") }))
      .where("id", "=", id)
      .where("version", "=", version)
      .returningAll()
      .executeTakeFirst();
    const exists = row !== undefined || (await rows(db).where("id", "=", id).executeTakeFirst()) !== undefined;
    return foundVersion(row, exists, "order", id);
  });
}

/** Lists the orders of an account, the newest first. */
export function listOrders(
  db: Kysely<DB>,
  accountId: string,
  filter: { status?: Order["status"] } = {},
  page: PageRequest = {},
) {
  const all = rows(db).where("account_id", "=", accountId);
  const query = filter.status === undefined ? all : all.where("status", "=", filter.status);
  return read(() => pageOf(query, { by: "submitted_at", id: "id", direction: "desc" }, page));
}

/** Checks the limits on an order. Returns the order if it was placed before, while they allowed it. */
async function placedBefore(db: Kysely<DB>, terms: OrderTerms, price: string): Promise<Order | undefined> {
  const { account_id: accountId, instrument_id: instrumentId, quantity } = terms;
  try {
    await checkOrderLimits(db, { accountId, instrumentId, quantity: String(quantity), price });
    return undefined;
  } catch (error) {
    if (!(error instanceof RuleViolationError)) throw error;
    const placed = await read(() => ofClient(db, accountId, terms.client_order_id).executeTakeFirst());
    if (placed === undefined) throw error;
    return placed;
  }
}

function ofClient(db: Kysely<DB>, accountId: string, clientOrderId: string) {
  return rows(db).where("account_id", "=", accountId).where("client_order_id", "=", clientOrderId);
}

function rows(db: Kysely<DB>) {
  return db.selectFrom("orders").selectAll();
}
