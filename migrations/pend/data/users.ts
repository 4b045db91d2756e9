import type { Kysely } from "kysely";
import { found, read } from "pgroundwork";
import type { DB } from "../types.ts";

/** Key by which a person is looked up. */
export type UserKey = { id: string } | { phoneHash: string } | { blockchainAddress: string };

/** Looks a user up, with the profile, the newest application and what is invested: one query. */
export async function lookUpUser(db: Kysely<DB>, key: UserKey) {
  const query = db
    .selectFrom("users")
    .innerJoin("user_tiers", "user_tiers.code", "users.tier_code")
    .leftJoin("user_profiles", "user_profiles.user_id", "users.id")
    .leftJoinLateral(
      (eb) =>
        eb
          .selectFrom("kyc_applications")
          .select("kyc_applications.status as kyc_status")
          .whereRef("kyc_applications.user_id", "=", "users.id")
          .orderBy("kyc_applications.created_at", "desc")
          .limit(1)
          .as("application"),
      (join) => join.onTrue(),
    )
    .innerJoinLateral(
      (eb) =>
        eb
          .selectFrom("investments")
          .select(({ fn, val }) => [
            fn.countAll<string>().as("investments"),
            fn.coalesce(fn.sum<string>("investments.amount"), val("0")).as("invested"),
          ])
          .whereRef("investments.user_id", "=", "users.id")
          .where("investments.status", "in", ["pending", "active"])
          .as("portfolio"),
      (join) => join.onTrue(),
    )
    .select(["users.id", "users.blockchain_address", "users.status", "users.kyc_level", "user_tiers.name as tier"])
    .select(["user_profiles.full_name", "kyc_status", "investments", "invested"])
    .where("users.deleted_at", "is", null);
  if ("id" in key)
    return found(await read(() => query.where("users.id", "=", key.id).executeTakeFirst()), "user", key.id);
  const [by, value] =
    "phoneHash" in key
      ? (["users.phone_hash", key.phoneHash] as const)
      : (["users.blockchain_address", key.blockchainAddress] as const);
  return found(await read(() => query.where(by, "=", value).executeTakeFirst()), "user", value);
}
