import type { Insertable, Kysely, Selectable } from "kysely";
import { found, read, write } from "pgroundwork";
import { type PageRequest, pageOf } from "pgroundwork/kysely";
import type { DB, PasswordResetTokens } from "../types.ts";

export type ResetToken = Selectable<PasswordResetTokens>;

const order = { by: "created_at", id: "id", direction: "desc" } as const;

/** Creates a reset token. The database gets its hash, never the token. Its user need not be logged in. */
export function createResetToken(db: Kysely<DB>, row: Insertable<PasswordResetTokens>): Promise<ResetToken> {
  return read(() => db.insertInto("password_reset_tokens").values(row).returningAll().executeTakeFirstOrThrow());
}

/** Returns a reset token. */
export async function readResetToken(db: Kysely<DB>, id: string): Promise<ResetToken> {
  return found(await read(() => rows(db).where("id", "=", id).executeTakeFirst()), "reset token", id);
}

/** Deletes a reset token. */
export async function deleteResetToken(db: Kysely<DB>, id: string): Promise<void> {
  const gone = db.deleteFrom("password_reset_tokens").where("id", "=", id).returning("id");
  found(await write(() => gone.executeTakeFirst()), "reset token", id);
}

/** Lists reset tokens, the newest first. */
export function listResetTokens(db: Kysely<DB>, filter: { userId?: string } = {}, page: PageRequest = {}) {
  const query = filter.userId === undefined ? rows(db) : rows(db).where("user_id", "=", filter.userId);
  return read(() => pageOf(query, order, page));
}

/**
 * Uses a token, once. Returns it if it was valid: neither used nor expired. Of several requests at once, one gets it.
 */
export function useResetToken(db: Kysely<DB>, tokenHash: string): Promise<ResetToken | undefined> {
  const update = db
    .updateTable("password_reset_tokens")
    .set((eb) => ({ used_at: eb.fn<string>("now") }))
    .where("token_hash", "=", tokenHash)
    .where("used_at", "is", null)
    .where("expires_at", ">", (eb) => eb.fn<string>("now"));
  return read(() => update.returningAll().executeTakeFirst());
}

function rows(db: Kysely<DB>) {
  return db.selectFrom("password_reset_tokens").selectAll();
}
