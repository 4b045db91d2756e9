import type { Kysely } from "kysely";
import { read } from "pgroundwork";
import { type PageRequest, pageOf } from "pgroundwork/kysely";
import type { DB } from "../types.ts";

/** Lists the transactions of a user with the names of their assets, the newest first. */
export function transactionHistory(db: Kysely<DB>, userId: string, page: PageRequest = {}) {
  const query = db
    .selectFrom("transactions")
    .leftJoin("investments", "investments.id", "transactions.investment_id")
    .leftJoin("assets", "assets.id", "investments.asset_id")
    .selectAll("transactions")
    .select("assets.name as asset_name")
    .where("transactions.user_id", "=", userId);
  const order = { by: "transactions.created_at", id: "transactions.id", direction: "desc" } as const;
  return read(() => pageOf(query, order, page));
}
