import type { Insertable, Kysely, Selectable, Updateable } from "kysely";
import { actingUser, found, read, write } from "pgroundwork";
import { containing, type PageRequest, pageOf } from "pgroundwork/kysely";
import type { ApiKeys, DB } from "../types.ts";

export type ApiKey = Selectable<ApiKeys>;

const order = { by: "created_at", id: "id", direction: "desc" } as const;

/** Creates an API key. The database gets its hash, never the key. */
export function createApiKey(
  db: Kysely<DB>,
  row: Omit<Insertable<ApiKeys>, "revoked_at" | "revoked_by" | "revoke_reason">,
): Promise<ApiKey> {
  return write(() => db.insertInto("api_keys").values(row).returningAll().executeTakeFirstOrThrow());
}

/** Returns an API key. */
export async function readApiKey(db: Kysely<DB>, id: string): Promise<ApiKey> {
  return found(await read(() => rows(db).where("id", "=", id).executeTakeFirst()), "API key", id);
}

/** Changes an API key. */
export async function updateApiKey(
  db: Kysely<DB>,
  id: string,
  change: Pick<Updateable<ApiKeys>, "name" | "allowed_networks" | "rate_limit_per_minute" | "expires_at">,
): Promise<ApiKey> {
  const update = db.updateTable("api_keys").set(change).where("id", "=", id);
  return found(await write(() => update.returningAll().executeTakeFirst()), "API key", id);
}

/** Revokes an API key as the acting user. It stays, for the audit. */
export async function deleteApiKey(db: Kysely<DB>, id: string, reason: string): Promise<void> {
  const update = db
    .updateTable("api_keys")
    .set((eb) => ({ revoked_at: eb.fn<string>("now"), revoked_by: actingUser(), revoke_reason: reason }))
    .where("id", "=", id)
    .where("revoked_at", "is", null);
  found(await write(() => update.returning("id").executeTakeFirst()), "API key", id);
}

/** Finds the key of a request by its hash, if it was neither revoked nor has expired. */
export function findApiKey(db: Kysely<DB>, keyHash: string): Promise<ApiKey | undefined> {
  const query = rows(db)
    .where("key_hash", "=", keyHash)
    .where("revoked_at", "is", null)
    .where((eb) => eb.or([eb("expires_at", "is", null), eb("expires_at", ">", eb.fn<string>("now"))]));
  return read(() => query.executeTakeFirst());
}

/** Counts requests of a key, in a batch. */
export async function countApiKeyUse(db: Kysely<DB>, id: string, use: { requests: number; ip: string }): Promise<void> {
  const update = db
    .updateTable("api_keys")
    .set((eb) => ({
      request_count: eb("request_count", "+", String(use.requests)),
      last_used_at: eb.fn<string>("now"),
      last_used_ip: use.ip,
    }))
    .where("id", "=", id);
  found(await read(() => update.returning("id").executeTakeFirst()), "API key", id);
}

/** Lists API keys, the newest first. */
export function listApiKeys(db: Kysely<DB>, filter: { userId?: string } = {}, page: PageRequest = {}) {
  const query = filter.userId === undefined ? rows(db) : rows(db).where("user_id", "=", filter.userId);
  return read(() => pageOf(query, order, page));
}

/** Finds API keys by a part of their name or prefix. */
export function searchApiKeys(db: Kysely<DB>, text: string, page: PageRequest = {}) {
  const pattern = containing(text);
  return read(() =>
    pageOf(
      rows(db).where((eb) => eb.or([eb("name", "ilike", pattern), eb("key_prefix", "ilike", pattern)])),
      order,
      page,
    ),
  );
}

function rows(db: Kysely<DB>) {
  return db.selectFrom("api_keys").selectAll();
}
