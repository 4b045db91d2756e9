import type { Insertable, Kysely, Selectable } from "kysely";
import { AlreadyExistsError, found, type Pool, read, write } from "pgroundwork";
import { kyselyTransaction, type PageRequest, pageOf } from "pgroundwork/kysely";
import type { DB, InvestmentAgreements, Investments, Transactions } from "../types.ts";

export type Investment = Selectable<Investments>;

/** A request to invest. The same `idempotencyKey` twice is one investment. */
export interface InvestmentRequest {
  userId: string;
  assetId: string;
  amount: string;
  idempotencyKey: string;
  agreement: Pick<Insertable<InvestmentAgreements>, "version" | "document_sha256" | "ip" | "user_agent" | "signature">;
  payment: Pick<
    Insertable<Transactions>,
    "method" | "provider" | "provider_reference" | "chain_id" | "transaction_hash"
  >;
}

/**
 * Places an investment: the investment, the agreement, the payment, and its activation, in one transaction. It is
 * repeated after a conflict or a lost connection, and never done twice.
 *
 * @throws DomainError if user, tier or asset do not allow it; OutcomeUnknownError: send the same key again
 */
export async function placeInvestment(pool: Pool, request: InvestmentRequest): Promise<Investment> {
  try {
    return await kyselyTransaction<DB, Investment>(pool, (db) => write(() => place(db, request)));
  } catch (error) {
    if (!(error instanceof AlreadyExistsError) || error.constraint !== "transactions_idempotency_key_key") throw error;
    return kyselyTransaction<DB, Investment>(pool, (db) => placedBefore(db, request.idempotencyKey), {
      readOnly: true,
    });
  }
}

async function place(db: Kysely<DB>, request: InvestmentRequest): Promise<Investment> {
  const { userId, assetId, amount, idempotencyKey, agreement, payment } = request;
  // A trigger fills in the terms of the asset and the tier, which the catalog does not say.
  const terms = { user_id: userId, asset_id: assetId, amount } as Insertable<Investments>;
  const { id } = await db.insertInto("investments").values(terms).returning("id").executeTakeFirstOrThrow();
  await db
    .insertInto("investment_agreements")
    .values({ ...agreement, user_id: userId, investment_id: id, agreement_type: "subscription" })
    .execute();
  const now = new Date();
  await db
    .insertInto("transactions")
    .values(({ fn }) => ({
      ...payment,
      user_id: userId,
      investment_id: id,
      transaction_type: "investment" as const,
      status: "completed" as const,
      amount,
      idempotency_key: idempotencyKey,
      completed_at: fn<string>("now"),
    }))
    .execute();
  const activated = db.updateTable("investments").set({ status: "active", activated_at: now }).where("id", "=", id);
  return activated.returningAll().executeTakeFirstOrThrow();
}

async function placedBefore(db: Kysely<DB>, key: string): Promise<Investment> {
  const query = db
    .selectFrom("investments")
    .innerJoin("transactions", "transactions.investment_id", "investments.id")
    .selectAll("investments")
    .where("transactions.idempotency_key", "=", key);
  return found(await read(() => query.executeTakeFirst()), "investment", key);
}

/** Lists the investments of a user, the newest first. */
export function listInvestments(db: Kysely<DB>, userId: string, page: PageRequest = {}) {
  const query = db.selectFrom("investments").selectAll().where("user_id", "=", userId);
  return read(() => pageOf(query, { by: "placed_at", id: "id", direction: "desc" }, page));
}

/** Cancels an investment that is not paid yet. */
export async function cancelInvestment(db: Kysely<DB>, id: string, reason: string): Promise<Investment> {
  const update = db
    .updateTable("investments")
    .set(({ fn }) => ({ status: "cancelled" as const, ended_at: fn<string>("now"), cancel_reason: reason }))
    .where("id", "=", id);
  return found(await write(() => update.returningAll().executeTakeFirst()), "investment", id);
}
