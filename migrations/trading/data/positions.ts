import type { Kysely, Selectable } from "kysely";
import { found, InvalidValueError, read } from "pgroundwork";
import { type PageRequest, pageOf } from "pgroundwork/kysely";
import type { DB, Positions } from "../types.ts";

export type Position = Selectable<Positions>;

/** The part of an order that moves a position. */
interface MovingOrder {
  account_id: string;
  instrument_id: string;
  side: "buy" | "sell";
}

/** Result of {@link movePosition}. */
export interface MovedPosition {
  position: Position;
  isClosing: boolean;
  /** Profit or loss of the closed part, in the quote currency. */
  realizedPnl: string;
}

/**
 * Moves the netting position of an account by a fill: opens it, adds to it, or closes all or part of it. The database
 * calculates, so that nothing is rounded on the way. Call it in a transaction.
 *
 * @throws InvalidValueError if the fill would turn the position around: close it first
 */
export async function movePosition(
  db: Kysely<DB>,
  { account_id, instrument_id, side }: MovingOrder,
  fill: { quantity: string; price: string },
): Promise<MovedPosition> {
  const direction = side === "buy" ? "long" : "short";
  const open = await db
    .selectFrom("positions")
    .selectAll()
    .select(({ eb, val }) => eb("quantity", "<", val(fill.quantity)).as("isTooSmall"))
    .where("account_id", "=", account_id)
    .where("instrument_id", "=", instrument_id)
    .where("status", "=", "open")
    .where("is_netting", "=", true)
    .forUpdate()
    .executeTakeFirst();
  const { quantity, price } = fill;
  if (open === undefined) {
    const position = await db
      .insertInto("positions")
      .values({
        ...{ account_id, instrument_id, side: direction, quantity, opened_quantity: quantity },
        ...{ average_entry_price: price, current_price: price },
      })
      .returningAll()
      .executeTakeFirstOrThrow();
    return { position, isClosing: false, realizedPnl: "0" };
  }
  if (open.side === direction) {
    const position = await db
      .updateTable("positions")
      .set(({ eb }) => ({
        // (average × quantity + price × filled) / (quantity + filled)
        average_entry_price: eb(
          eb.parens(eb(eb("average_entry_price", "*", eb.ref("quantity")), "+", eb(numeric(eb, price), "*", quantity))),
          "/",
          eb.parens(eb("quantity", "+", quantity)),
        ),
        quantity: eb("quantity", "+", quantity),
        opened_quantity: eb("opened_quantity", "+", quantity),
        current_price: price,
      }))
      .where("id", "=", open.id)
      .returningAll()
      .executeTakeFirstOrThrow();
    return { position, isClosing: false, realizedPnl: "0" };
  }
  if (open.isTooSmall)
    throw new InvalidValueError(`A fill of ${quantity} would turn the position of ${open.quantity} around.`);
  const { pnl, rest } = await db
    .selectFrom("positions")
    .select(({ eb }) => {
      const [from, to] =
        direction === "short"
          ? [eb.ref("average_entry_price"), numeric(eb, price)]
          : [numeric(eb, price), eb.ref("average_entry_price")];
      return [eb(eb.parens(eb(to, "-", from)), "*", quantity).as("pnl"), eb("quantity", "-", quantity).as("rest")];
    })
    .where("id", "=", open.id)
    .executeTakeFirstOrThrow();
  const isClosed = Number(rest) === 0;
  const position = await db
    .updateTable("positions")
    .set(({ eb, fn }) => ({
      quantity: rest,
      realized_pnl: eb("realized_pnl", "+", pnl),
      average_exit_price: price,
      current_price: price,
      ...(isClosed && {
        status: "closed" as const,
        close_reason: "client" as const,
        closed_at: fn<string>("now"),
        unrealized_pnl: "0",
        margin_used: "0",
      }),
    }))
    .where("id", "=", open.id)
    .returningAll()
    .executeTakeFirstOrThrow();
  return { position, isClosing: true, realizedPnl: pnl };
}

/** Makes a numeric of a parameter, so that the server does not take it for text. */
function numeric(eb: import("kysely").ExpressionBuilder<DB, "positions">, value: string) {
  return eb.cast<string>(eb.val(value), "numeric");
}

/** Returns a position. */
export async function readPosition(db: Kysely<DB>, id: string): Promise<Position> {
  const query = db.selectFrom("positions").selectAll().where("id", "=", id);
  return found(await read(() => query.executeTakeFirst()), "position", id);
}

/** Lists the positions of an account, the newest first. */
export function listPositions(
  db: Kysely<DB>,
  accountId: string,
  filter: { status?: Position["status"] } = {},
  page: PageRequest = {},
) {
  const all = db.selectFrom("positions").selectAll().where("account_id", "=", accountId);
  const query = filter.status === undefined ? all : all.where("status", "=", filter.status);
  return read(() => pageOf(query, { by: "opened_at", id: "id", direction: "desc" }, page));
}
