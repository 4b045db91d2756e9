import type { Insertable, Kysely, Selectable, Updateable } from "kysely";
import { actingUser, found, foundVersion, read, write } from "pgroundwork";
import { containing, type PageRequest, pageOf } from "pgroundwork/kysely";
import type { Businesses, DB } from "../types.ts";

export type Business = Selectable<Businesses>;

const newestFirst = { by: "created_at", id: "id", direction: "desc" } as const;

/** Creates a business as the acting user. It begins as a draft, or waits for review. */
export function createBusiness(
  db: Kysely<DB>,
  business: Omit<Insertable<Businesses>, "created_by" | "version">,
): Promise<Business> {
  const values = { ...business, created_by: actingUser() };
  return write(() => db.insertInto("businesses").values(values).returningAll().executeTakeFirstOrThrow());
}

/** Returns a business that was not deleted. */
export async function readBusiness(db: Kysely<DB>, id: string): Promise<Business> {
  return found(await read(() => kept(db).where("id", "=", id).executeTakeFirst()), "business", id);
}

/** Finds a business by the number in its register. */
export function findBusinessByRegistration(
  db: Kysely<DB>,
  country: string,
  number: string,
): Promise<Business | undefined> {
  return read(() =>
    kept(db).where("registration_country", "=", country).where("registration_number", "=", number).executeTakeFirst(),
  );
}

/**
 * Changes a business.
 *
 * @param version version that was read; another one means that someone else changed the business meanwhile
 */
export async function updateBusiness(
  db: Kysely<DB>,
  id: string,
  version: number,
  change: Omit<Updateable<Businesses>, "version">,
): Promise<Business> {
  return write(async () => {
    const row = await db
      .updateTable("businesses")
      .set(change)
      .where("id", "=", id)
      .where("version", "=", version)
      .where("deleted_at", "is", null)
      .returningAll()
      .executeTakeFirst();
    const exists = row !== undefined || (await kept(db).where("id", "=", id).executeTakeFirst()) !== undefined;
    return foundVersion(row, exists, "business", id);
  });
}

/** Submits a draft for review. */
export function submitBusiness(db: Kysely<DB>, id: string, version: number): Promise<Business> {
  return updateBusiness(db, id, version, { status: "pending_review", submitted_at: new Date() });
}

/** Closes and hides a business. The row stays, and its registration number becomes free. */
export async function deleteBusiness(db: Kysely<DB>, id: string, version: number): Promise<void> {
  const now = new Date();
  await updateBusiness(db, id, version, { status: "closed", closed_at: now, deleted_at: now });
}

/** Limits a list of businesses. */
export interface BusinessFilter {
  status?: Business["status"];
  riskLevel?: NonNullable<Business["risk_level"]>;
  complianceStatus?: Business["compliance_status"];
  assignedTo?: string;
}

/** Lists businesses, the newest first. */
export function listBusinesses(db: Kysely<DB>, filter: BusinessFilter = {}, page: PageRequest = {}) {
  let query = kept(db);
  if (filter.status !== undefined) query = query.where("status", "=", filter.status);
  if (filter.riskLevel !== undefined) query = query.where("risk_level", "=", filter.riskLevel);
  if (filter.complianceStatus !== undefined) query = query.where("compliance_status", "=", filter.complianceStatus);
  if (filter.assignedTo !== undefined) query = query.where("assigned_to", "=", filter.assignedTo);
  return read(() => pageOf(query, newestFirst, page));
}

/** Finds businesses by a part of their legal or trade name. */
export function searchBusinesses(db: Kysely<DB>, text: string, page: PageRequest = {}) {
  const pattern = containing(text);
  const query = kept(db).where((eb) => eb.or([eb("legal_name", "ilike", pattern), eb("trade_name", "ilike", pattern)]));
  return read(() => pageOf(query, newestFirst, page));
}

function kept(db: Kysely<DB>) {
  return db.selectFrom("businesses").selectAll().where("deleted_at", "is", null);
}
