import type { Insertable, Kysely, Selectable } from "kysely";
import { AlreadyExistsError, found, type Pool, read, write } from "pgroundwork";
import { kyselyTransaction } from "pgroundwork/kysely";
import type { DB, OrderFills, Trades } from "../types.ts";
import { acceptOrder, type Order, type OrderTerms, placeOrder, readOrder } from "./orders.ts";
import { movePosition, type Position } from "./positions.ts";

export type Fill = Selectable<OrderFills>;
export type Trade = Selectable<Trades>;

/** An execution that a venue reports. `venue` and `execution_id` twice are one fill. */
export type Execution = Omit<Insertable<OrderFills>, "order_id"> & { settlesOn: string };

/** Result of a fill. */
export interface Filled {
  order: Order;
  position: Position;
  trade: Trade;
}

/**
 * Places an order and fills it, in one transaction: order, fill, position and trade. It is repeated after a conflict or
 * a lost connection, and never done twice.
 *
 * @throws DomainError; OutcomeUnknownError: send the same `client_order_id` and `execution_id` again
 */
export async function placeAndFill(pool: Pool, terms: OrderTerms, execution: Execution): Promise<Filled> {
  try {
    return await kyselyTransaction<DB, Filled>(pool, async (db) => {
      const order = await placeOrder(db, terms, execution.price);
      if (order.status === "pending_new") await acceptOrder(db, order.id);
      return fillOrder(db, order.id, execution);
    });
  } catch (error) {
    if (!(error instanceof AlreadyExistsError) || error.constraint !== "order_fills_venue_execution_id_key")
      throw error;
    return kyselyTransaction<DB, Filled>(pool, (db) => filledBefore(db, execution), { readOnly: true });
  }
}

/** Adds a fill to a working order, and moves the position. Call it in a transaction. */
export function fillOrder(db: Kysely<DB>, orderId: string, { settlesOn, ...execution }: Execution): Promise<Filled> {
  return write(async () => {
    const fill = await db
      .insertInto("order_fills")
      .values({ ...execution, order_id: orderId })
      .returningAll()
      .executeTakeFirstOrThrow();
    // The fill's trigger has locked and moved the order.
    const order = await readOrder(db, orderId);
    const { position, isClosing, realizedPnl } = await movePosition(db, order, fill);
    const trade = await db
      .insertInto("trades")
      .values({
        ...{ fill_id: fill.id, order_id: order.id, account_id: order.account_id, instrument_id: order.instrument_id },
        ...{ position_id: position.id, side: order.side, quantity: fill.quantity, price: fill.price },
        ...{ is_closing: isClosing, realized_pnl: realizedPnl, commission: fill.commission },
        ...{ executed_at: fill.executed_at, settles_on: settlesOn },
      })
      .returningAll()
      .executeTakeFirstOrThrow();
    return { order, position, trade };
  });
}

async function filledBefore(db: Kysely<DB>, { venue, execution_id }: Execution): Promise<Filled> {
  return read(async () => {
    const trade = await db
      .selectFrom("trades")
      .innerJoin("order_fills", "order_fills.id", "trades.fill_id")
      .selectAll("trades")
      .where("order_fills.venue", "=", venue)
      .where("order_fills.execution_id", "=", execution_id)
      .executeTakeFirst();
    const { order_id, position_id } = found(trade, "fill", execution_id);
    const position = await db
      .selectFrom("positions")
      .selectAll()
      .where("id", "=", position_id ?? "")
      .executeTakeFirst();
    return {
      order: await readOrder(db, order_id),
      position: found(position, "position", position_id ?? ""),
      trade: found(trade, "fill", execution_id),
    };
  });
}
