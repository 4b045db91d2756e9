import type { Insertable, Kysely, Selectable } from "kysely";
import { found, read, write } from "pgroundwork";
import { type PageRequest, pageOf } from "pgroundwork/kysely";
import type { DB, TokenBlacklist } from "../types.ts";

export type BlacklistedToken = Selectable<TokenBlacklist>;

const order = { by: "blacklisted_at", id: "token_id", direction: "desc" } as const;

/** Refuses a token from now on. */
export function createBlacklistedToken(db: Kysely<DB>, row: Insertable<TokenBlacklist>): Promise<BlacklistedToken> {
  return write(() => db.insertInto("token_blacklist").values(row).returningAll().executeTakeFirstOrThrow());
}

/** Returns a blacklisted token. */
export async function readBlacklistedToken(db: Kysely<DB>, id: string): Promise<BlacklistedToken> {
  return found(await read(() => rows(db).where("token_id", "=", id).executeTakeFirst()), "blacklisted token", id);
}

/** Deletes a blacklisted token. */
export async function deleteBlacklistedToken(db: Kysely<DB>, id: string): Promise<void> {
  const gone = db.deleteFrom("token_blacklist").where("token_id", "=", id).returning("token_id");
  found(await write(() => gone.executeTakeFirst()), "blacklisted token", id);
}

/** Lists blacklisted tokens, the newest first. */
export function listBlacklistedTokens(db: Kysely<DB>, filter: { userId?: string } = {}, page: PageRequest = {}) {
  const query = filter.userId === undefined ? rows(db) : rows(db).where("user_id", "=", filter.userId);
  return read(() => pageOf(query, order, page));
}

/** Returns true if a token is refused. */
export async function isBlacklisted(db: Kysely<DB>, tokenId: string): Promise<boolean> {
  return (await read(() => rows(db).where("token_id", "=", tokenId).executeTakeFirst())) !== undefined;
}

function rows(db: Kysely<DB>) {
  return db.selectFrom("token_blacklist").selectAll();
}
