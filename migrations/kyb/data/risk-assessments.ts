import type { Insertable, Kysely, Selectable } from "kysely";
import { found, read, write } from "pgroundwork";
import { containing, type PageRequest, pageOf } from "pgroundwork/kysely";
import type { DB, RiskAssessments } from "../types.ts";

export type RiskAssessment = Selectable<RiskAssessments>;

const order = { by: "assessed_at", id: "id", direction: "desc" } as const;

/** Records an assessment, which supersedes the one before. Assessments are never changed or deleted. */
export function createRiskAssessment(
  db: Kysely<DB>,
  row: Omit<Insertable<RiskAssessments>, "superseded_at">,
): Promise<RiskAssessment> {
  return write(() => db.insertInto("risk_assessments").values(row).returningAll().executeTakeFirstOrThrow());
}

/** Returns a risk assessment. */
export async function readRiskAssessment(db: Kysely<DB>, id: string): Promise<RiskAssessment> {
  return found(await read(() => rows(db).where("id", "=", id).executeTakeFirst()), "risk assessment", id);
}

/** Lists risk assessments, the newest first. */
export function listRiskAssessments(db: Kysely<DB>, filter: { businessId?: string } = {}, page: PageRequest = {}) {
  const query = filter.businessId === undefined ? rows(db) : rows(db).where("business_id", "=", filter.businessId);
  return read(() => pageOf(query, order, page));
}

/** Finds risk assessments by a part of the model that made them. */
export function searchRiskAssessments(db: Kysely<DB>, text: string, page: PageRequest = {}) {
  const pattern = containing(text);
  return read(() => pageOf(rows(db).where("model_version", "ilike", pattern), order, page));
}

function rows(db: Kysely<DB>) {
  return db.selectFrom("risk_assessments").selectAll();
}
