import type { Insertable, Kysely, Selectable, Updateable } from "kysely";
import { found, read, write } from "pgroundwork";
import { containing, type PageRequest, pageOf } from "pgroundwork/kysely";
import type { DB, Webhooks } from "../types.ts";

export type Webhook = Selectable<Webhooks>;

const order = { by: "created_at", id: "id", direction: "desc" } as const;

/** Creates a webhook. */
export function createWebhook(db: Kysely<DB>, row: Insertable<Webhooks>): Promise<Webhook> {
  return write(() => db.insertInto("webhooks").values(row).returningAll().executeTakeFirstOrThrow());
}

/** Returns a webhook. */
export async function readWebhook(db: Kysely<DB>, id: string): Promise<Webhook> {
  return found(await read(() => rows(db).where("id", "=", id).executeTakeFirst()), "webhook", id);
}

/** Changes a webhook. */
export async function updateWebhook(db: Kysely<DB>, id: string, change: Updateable<Webhooks>): Promise<Webhook> {
  const update = db.updateTable("webhooks").set(change).where("id", "=", id);
  return found(await write(() => update.returningAll().executeTakeFirst()), "webhook", id);
}

/** Deletes a webhook. */
export async function deleteWebhook(db: Kysely<DB>, id: string): Promise<void> {
  const gone = db.deleteFrom("webhooks").where("id", "=", id).returning("id");
  found(await write(() => gone.executeTakeFirst()), "webhook", id);
}

/** Lists webhooks, the newest first. */
export function listWebhooks(db: Kysely<DB>, filter: { userId?: string } = {}, page: PageRequest = {}) {
  const query = filter.userId === undefined ? rows(db) : rows(db).where("user_id", "=", filter.userId);
  return read(() => pageOf(query, order, page));
}

/** Finds webhooks by a part of their name or URL. */
export function searchWebhooks(db: Kysely<DB>, text: string, page: PageRequest = {}) {
  const pattern = containing(text);
  return read(() =>
    pageOf(
      rows(db).where((eb) => eb.or([eb("name", "ilike", pattern), eb("url", "ilike", pattern)])),
      order,
      page,
    ),
  );
}

function rows(db: Kysely<DB>) {
  return db.selectFrom("webhooks").selectAll();
}
