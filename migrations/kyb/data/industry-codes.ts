import type { Insertable, Kysely, Selectable, Updateable } from "kysely";
import { found, read, write } from "pgroundwork";
import { containing, type PageRequest, pageOf } from "pgroundwork/kysely";
import type { DB, IndustryCodes } from "../types.ts";

export type IndustryCode = Selectable<IndustryCodes>;
/** The key of an industry code. */
export type IndustryKey = Pick<IndustryCode, "code_system" | "code">;

const order = { by: "code", id: "code_system", direction: "asc" } as const;

/** Creates an industry code. */
export function createIndustryCode(db: Kysely<DB>, row: Insertable<IndustryCodes>): Promise<IndustryCode> {
  return write(() => db.insertInto("industry_codes").values(row).returningAll().executeTakeFirstOrThrow());
}

/** Returns an industry code. */
export async function readIndustryCode(db: Kysely<DB>, { code_system, code }: IndustryKey): Promise<IndustryCode> {
  const query = rows(db).where("code_system", "=", code_system).where("code", "=", code);
  return found(await read(() => query.executeTakeFirst()), "industry code", code);
}

/** Changes an industry code. */
export async function updateIndustryCode(
  db: Kysely<DB>,
  { code_system, code }: IndustryKey,
  change: Updateable<IndustryCodes>,
): Promise<IndustryCode> {
  const update = db
    .updateTable("industry_codes")
    .set(change)
    .where("code_system", "=", code_system)
    .where("code", "=", code);
  return found(await write(() => update.returningAll().executeTakeFirst()), "industry code", code);
}

/** Deletes an industry code that nothing refers to. */
export async function deleteIndustryCode(db: Kysely<DB>, { code_system, code }: IndustryKey): Promise<void> {
  const gone = db.deleteFrom("industry_codes").where("code_system", "=", code_system).where("code", "=", code);
  found(await write(() => gone.returning("code").executeTakeFirst()), "industry code", code);
}

/** Lists industry codes, by code. */
export function listIndustryCodes(
  db: Kysely<DB>,
  filter: { codeSystem?: IndustryCode["code_system"] } = {},
  page: PageRequest = {},
) {
  const query = filter.codeSystem === undefined ? rows(db) : rows(db).where("code_system", "=", filter.codeSystem);
  return read(() => pageOf(query, order, page));
}

/** Finds industry codes by a part of their title. */
export function searchIndustryCodes(db: Kysely<DB>, text: string, page: PageRequest = {}) {
  return read(() => pageOf(rows(db).where("title", "ilike", containing(text)), order, page));
}

function rows(db: Kysely<DB>) {
  return db.selectFrom("industry_codes").selectAll();
}
