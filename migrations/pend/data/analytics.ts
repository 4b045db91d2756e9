import type { Kysely } from "kysely";
import { read } from "pgroundwork";
import type { DB } from "../types.ts";

/** Adds up money by month and type. The numbers are those of the last refresh of the statistics. */
export function moneyByMonth(db: Kysely<DB>, since: string) {
  return read(() =>
    db
      .selectFrom("transaction_days")
      .select(({ fn, val, ref }) => [
        fn<string>("date_trunc", [val("month"), ref("day")]).as("month"),
        "transaction_type",
        fn.sum<string>("transactions").as("transactions"),
        fn.sum<string>("amount").as("amount"),
      ])
      .where("day", ">=", since)
      .where("status", "=", "completed")
      .groupBy(["month", "transaction_type"])
      .orderBy("month")
      .orderBy("transaction_type")
      .execute(),
  );
}

/** Lists the assets with the most invested. The numbers are those of the last refresh of the statistics. */
export function mostInvested(db: Kysely<DB>, limit = 20) {
  return read(() =>
    db
      .selectFrom("asset_statistics")
      .innerJoin("assets", "assets.id", "asset_statistics.asset_id")
      .select(["assets.code", "assets.name", "investors", "invested"])
      .orderBy("invested", "desc")
      .limit(limit)
      .execute(),
  );
}

/** Adds up the investors and the money of one asset, live. */
export function investorsOf(db: Kysely<DB>, assetId: string) {
  return read(() =>
    db
      .selectFrom("investments")
      .select(({ fn }) => [
        "status",
        fn.count<string>("user_id").distinct().as("investors"),
        fn.sum<string>("amount").as("amount"),
      ])
      .where("asset_id", "=", assetId)
      .groupBy("status")
      .orderBy("status")
      .execute(),
  );
}
