import type { Insertable, Kysely, Selectable, Updateable } from "kysely";
import { found, read, write } from "pgroundwork";
import { containing, type PageRequest, pageOf } from "pgroundwork/kysely";
import type { BusinessClassifications, DB } from "../types.ts";

export type Classification = Selectable<BusinessClassifications>;

const order = { by: "created_at", id: "id", direction: "desc" } as const;

/** Records an industry of a business. */
export function createClassification(
  db: Kysely<DB>,
  row: Insertable<BusinessClassifications>,
): Promise<Classification> {
  return write(() => db.insertInto("business_classifications").values(row).returningAll().executeTakeFirstOrThrow());
}

/** Returns a classification. */
export async function readClassification(db: Kysely<DB>, id: string): Promise<Classification> {
  return found(await read(() => rows(db).where("id", "=", id).executeTakeFirst()), "classification", id);
}

/** Changes what may change of a classification: if it is the primary one, and when it was superseded. */
export async function updateClassification(
  db: Kysely<DB>,
  id: string,
  change: Pick<Updateable<BusinessClassifications>, "is_primary" | "superseded_at">,
): Promise<Classification> {
  const update = db.updateTable("business_classifications").set(change).where("id", "=", id);
  return found(await write(() => update.returningAll().executeTakeFirst()), "classification", id);
}

/** Ends a classification. It stays, because later decisions were made with it. */
export async function deleteClassification(db: Kysely<DB>, id: string): Promise<void> {
  await updateClassification(db, id, { superseded_at: new Date() });
}

/** Lists classifications, the newest first. */
export function listClassifications(db: Kysely<DB>, filter: { businessId?: string } = {}, page: PageRequest = {}) {
  const query = filter.businessId === undefined ? rows(db) : rows(db).where("business_id", "=", filter.businessId);
  return read(() => pageOf(query, order, page));
}

/** Finds classifications by a part of their source or code. */
export function searchClassifications(db: Kysely<DB>, text: string, page: PageRequest = {}) {
  const pattern = containing(text);
  return read(() =>
    pageOf(
      rows(db).where((eb) => eb.or([eb("source", "ilike", pattern), eb("industry_code", "ilike", pattern)])),
      order,
      page,
    ),
  );
}

function rows(db: Kysely<DB>) {
  return db.selectFrom("business_classifications").selectAll();
}
