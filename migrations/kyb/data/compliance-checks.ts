import type { Insertable, Kysely, Selectable, Updateable } from "kysely";
import { actingUser, found, read, write } from "pgroundwork";
import { containing, type PageRequest, pageOf } from "pgroundwork/kysely";
import type { ComplianceChecks, DB } from "../types.ts";

export type ComplianceCheck = Selectable<ComplianceChecks>;

const order = { by: "requested_at", id: "id", direction: "desc" } as const;

/** Requests a check as the acting user. */
export function createComplianceCheck(
  db: Kysely<DB>,
  row: Omit<Insertable<ComplianceChecks>, "requested_by">,
): Promise<ComplianceCheck> {
  const values = { ...row, requested_by: actingUser() };
  return write(() => db.insertInto("compliance_checks").values(values).returningAll().executeTakeFirstOrThrow());
}

/** Returns a compliance check. */
export async function readComplianceCheck(db: Kysely<DB>, id: string): Promise<ComplianceCheck> {
  return found(await read(() => rows(db).where("id", "=", id).executeTakeFirst()), "compliance check", id);
}

/** Records the progress or the result of a check. The database keeps the order of the states. */
export async function updateComplianceCheck(
  db: Kysely<DB>,
  id: string,
  change: Pick<
    Updateable<ComplianceChecks>,
    | "status"
    | "started_at"
    | "completed_at"
    | "valid_until"
    | "score"
    | "findings"
    | "reviewed_by"
    | "reviewed_at"
    | "review_note"
  >,
): Promise<ComplianceCheck> {
  const update = db.updateTable("compliance_checks").set(change).where("id", "=", id);
  return found(await write(() => update.returningAll().executeTakeFirst()), "compliance check", id);
}

/** Cancels a check. It stays, for the audit. */
export async function deleteComplianceCheck(db: Kysely<DB>, id: string): Promise<void> {
  await updateComplianceCheck(db, id, { status: "cancelled", completed_at: new Date() });
}

/** Reviews a check as the acting user, and records its result. */
export function reviewComplianceCheck(
  db: Kysely<DB>,
  id: string,
  review: { passed: true; validUntil: Date; note?: string } | { passed: false; note?: string },
): Promise<ComplianceCheck> {
  const now = new Date();
  return updateComplianceCheck(db, id, {
    status: review.passed ? "passed" : "failed",
    completed_at: now,
    valid_until: review.passed ? review.validUntil : null,
    reviewed_by: actingUser(),
    reviewed_at: now,
    review_note: review.note ?? null,
  });
}

/** Lists compliance checks, the newest first. */
export function listComplianceChecks(db: Kysely<DB>, filter: { businessId?: string } = {}, page: PageRequest = {}) {
  const query = filter.businessId === undefined ? rows(db) : rows(db).where("business_id", "=", filter.businessId);
  return read(() => pageOf(query, order, page));
}

/** Finds compliance checks by a part of their provider's name. */
export function searchComplianceChecks(db: Kysely<DB>, text: string, page: PageRequest = {}) {
  const pattern = containing(text);
  return read(() => pageOf(rows(db).where("provider", "ilike", pattern), order, page));
}

function rows(db: Kysely<DB>) {
  return db.selectFrom("compliance_checks").selectAll();
}
