import type { Insertable, Kysely, Selectable } from "kysely";
import { found, read, write } from "pgroundwork";
import { containing, type PageRequest, pageOf } from "pgroundwork/kysely";
import type { DB, EmailVerificationTokens } from "../types.ts";

export type VerificationToken = Selectable<EmailVerificationTokens>;

const order = { by: "created_at", id: "id", direction: "desc" } as const;

/** Creates a verification token. The database gets its hash, never the token. Its user need not be logged in. */
export function createVerificationToken(
  db: Kysely<DB>,
  row: Insertable<EmailVerificationTokens>,
): Promise<VerificationToken> {
  return read(() => db.insertInto("email_verification_tokens").values(row).returningAll().executeTakeFirstOrThrow());
}

/** Returns a verification token. */
export async function readVerificationToken(db: Kysely<DB>, id: string): Promise<VerificationToken> {
  return found(await read(() => rows(db).where("id", "=", id).executeTakeFirst()), "verification token", id);
}

/** Deletes a verification token. */
export async function deleteVerificationToken(db: Kysely<DB>, id: string): Promise<void> {
  const gone = db.deleteFrom("email_verification_tokens").where("id", "=", id).returning("id");
  found(await write(() => gone.executeTakeFirst()), "verification token", id);
}

/** Lists verification tokens, the newest first. */
export function listVerificationTokens(db: Kysely<DB>, filter: { userId?: string } = {}, page: PageRequest = {}) {
  const query = filter.userId === undefined ? rows(db) : rows(db).where("user_id", "=", filter.userId);
  return read(() => pageOf(query, order, page));
}

/** Finds verification tokens by a part of their address. */
export function searchVerificationTokens(db: Kysely<DB>, text: string, page: PageRequest = {}) {
  const pattern = containing(text);
  return read(() => pageOf(rows(db).where("email", "ilike", pattern), order, page));
}

/**
 * Uses a token, once. Returns it if it was valid: neither used nor expired. Of several requests at once, one gets it.
 */
export function useVerificationToken(db: Kysely<DB>, tokenHash: string): Promise<VerificationToken | undefined> {
  const update = db
    .updateTable("email_verification_tokens")
    .set((eb) => ({ used_at: eb.fn<string>("now") }))
    .where("token_hash", "=", tokenHash)
    .where("used_at", "is", null)
    .where("expires_at", ">", (eb) => eb.fn<string>("now"));
  return read(() => update.returningAll().executeTakeFirst());
}

function rows(db: Kysely<DB>) {
  return db.selectFrom("email_verification_tokens").selectAll();
}
