import type { Insertable, Kysely, Selectable, Updateable } from "kysely";
import { found, read, write } from "pgroundwork";
import { containing, type PageRequest, pageOf } from "pgroundwork/kysely";
import type { DB, WebhookEvents } from "../types.ts";

export type WebhookEvent = Selectable<WebhookEvents>;

const order = { by: "created_at", id: "id", direction: "desc" } as const;

/** Queues an event for a webhook. */
export function createWebhookEvent(db: Kysely<DB>, row: Insertable<WebhookEvents>): Promise<WebhookEvent> {
  return write(() => db.insertInto("webhook_events").values(row).returningAll().executeTakeFirstOrThrow());
}

/** Returns a webhook event. */
export async function readWebhookEvent(db: Kysely<DB>, id: string): Promise<WebhookEvent> {
  return found(await read(() => rows(db).where("id", "=", id).executeTakeFirst()), "webhook event", id);
}

/** Records an attempt to deliver an event. The database keeps the order of the states. */
export async function updateWebhookEvent(
  db: Kysely<DB>,
  id: string,
  change: Pick<
    Updateable<WebhookEvents>,
    "status" | "attempts" | "last_attempt_at" | "last_status_code" | "last_error" | "next_attempt_at" | "delivered_at"
  >,
): Promise<WebhookEvent> {
  const update = db.updateTable("webhook_events").set(change).where("id", "=", id);
  return found(await write(() => update.returningAll().executeTakeFirst()), "webhook event", id);
}

/** Deletes a webhook event. */
export async function deleteWebhookEvent(db: Kysely<DB>, id: string): Promise<void> {
  const gone = db.deleteFrom("webhook_events").where("id", "=", id).returning("id");
  found(await write(() => gone.executeTakeFirst()), "webhook event", id);
}

/** Lists webhook events, the newest first. */
export function listWebhookEvents(db: Kysely<DB>, filter: { webhookId?: string } = {}, page: PageRequest = {}) {
  const query = filter.webhookId === undefined ? rows(db) : rows(db).where("webhook_id", "=", filter.webhookId);
  return read(() => pageOf(query, order, page));
}

/** Finds webhook events by a part of their type. */
export function searchWebhookEvents(db: Kysely<DB>, text: string, page: PageRequest = {}) {
  const pattern = containing(text);
  return read(() => pageOf(rows(db).where("event_type", "ilike", pattern), order, page));
}

/** Takes events that are due, counts the attempt, and hides them from other workers for a time. */
export function takeDueEvents(db: Kysely<DB>, limit: number, hiddenUntil: Date): Promise<WebhookEvent[]> {
  const due = db
    .selectFrom("webhook_events")
    .select("id")
    .where("next_attempt_at", "<=", (eb) => eb.fn<string>("now"))
    .orderBy("next_attempt_at")
    .limit(limit)
    .forUpdate()
    .skipLocked();
  return write(() =>
    db
      .updateTable("webhook_events")
      .set((eb) => ({
        status: "delivering" as const,
        attempts: eb("attempts", "+", 1),
        last_attempt_at: eb.fn<string>("now"),
        next_attempt_at: hiddenUntil,
      }))
      .where("id", "in", due)
      .returningAll()
      .execute(),
  );
}

function rows(db: Kysely<DB>) {
  return db.selectFrom("webhook_events").selectAll();
}
