import type { Insertable, Kysely, Selectable } from "kysely";
import { found, read, write } from "pgroundwork";
import { containing, type PageRequest, pageOf } from "pgroundwork/kysely";
import type { AuditLogs, DB } from "../types.ts";

export type AuditRecord = Selectable<AuditLogs>;

const order = { by: "occurred_at", id: "id", direction: "desc" } as const;

/**
 * Reports what the application did, under a dotted name. Changes of rows are recorded by triggers. Nothing is changed
 * or deleted.
 */
export function reportAuditRecord(db: Kysely<DB>, row: Insertable<AuditLogs>): Promise<AuditRecord> {
  return write(() => db.insertInto("audit_logs").values(row).returningAll().executeTakeFirstOrThrow());
}

/** Returns an audit record. */
export async function readAuditRecord(db: Kysely<DB>, id: string): Promise<AuditRecord> {
  return found(await read(() => rows(db).where("id", "=", id).executeTakeFirst()), "audit record", id);
}

/** Lists audit records, the newest first. */
export function listAuditRecords(db: Kysely<DB>, filter: { userId?: string } = {}, page: PageRequest = {}) {
  const query = filter.userId === undefined ? rows(db) : rows(db).where("user_id", "=", filter.userId);
  return read(() => pageOf(query, order, page));
}

/** Finds audit records by a part of their action or kind of resource. */
export function searchAuditRecords(db: Kysely<DB>, text: string, page: PageRequest = {}) {
  const pattern = containing(text);
  return read(() =>
    pageOf(
      rows(db).where((eb) => eb.or([eb("action", "ilike", pattern), eb("resource_type", "ilike", pattern)])),
      order,
      page,
    ),
  );
}

function rows(db: Kysely<DB>) {
  return db.selectFrom("audit_logs").selectAll();
}
