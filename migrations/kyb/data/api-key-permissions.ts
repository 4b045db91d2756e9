import type { Insertable, Kysely, Selectable } from "kysely";
import { found, read, write } from "pgroundwork";
import { type PageRequest, pageOf } from "pgroundwork/kysely";
import type { ApiKeyPermissions, DB } from "../types.ts";

export type ApiKeyPermission = Selectable<ApiKeyPermissions>;

const order = { by: "api_key_id", id: "permission_id", direction: "asc" } as const;

/** Creates an API key's permission. A pair has nothing to change: delete it and create another. */
export function createApiKeyPermission(db: Kysely<DB>, row: Insertable<ApiKeyPermissions>): Promise<ApiKeyPermission> {
  return write(() => db.insertInto("api_key_permissions").values(row).returningAll().executeTakeFirstOrThrow());
}

/** Returns an API key's permission. */
export async function readApiKeyPermission(
  db: Kysely<DB>,
  apiKeyId: string,
  permissionId: string,
): Promise<ApiKeyPermission> {
  const query = rows(db).where("api_key_id", "=", apiKeyId).where("permission_id", "=", permissionId);
  return found(await read(() => query.executeTakeFirst()), "API key's permission", permissionId);
}

/** Deletes an API key's permission. */
export async function deleteApiKeyPermission(db: Kysely<DB>, apiKeyId: string, permissionId: string): Promise<void> {
  const gone = db
    .deleteFrom("api_key_permissions")
    .where("api_key_id", "=", apiKeyId)
    .where("permission_id", "=", permissionId)
    .returning("permission_id");
  found(await write(() => gone.executeTakeFirst()), "API key's permission", permissionId);
}

/** Lists the permissions of API keys. */
export function listApiKeyPermissions(db: Kysely<DB>, filter: { apiKeyId?: string } = {}, page: PageRequest = {}) {
  const query = filter.apiKeyId === undefined ? rows(db) : rows(db).where("api_key_id", "=", filter.apiKeyId);
  return read(() => pageOf(query, order, page));
}

function rows(db: Kysely<DB>) {
  return db.selectFrom("api_key_permissions").selectAll();
}
