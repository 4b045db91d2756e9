import type { Insertable, Kysely, Selectable, Updateable } from "kysely";
import { found, foundVersion, read, write } from "pgroundwork";
import { type PageRequest, pageOf } from "pgroundwork/kysely";
import type { Assets, DB } from "../types.ts";

export type Asset = Selectable<Assets>;

const newestFirst = { by: "created_at", id: "id", direction: "desc" } as const;

/** Creates an asset as the acting administrator. It begins as a draft. */
export function createAsset(db: Kysely<DB>, asset: Omit<Insertable<Assets>, "version">): Promise<Asset> {
  return write(() => db.insertInto("assets").values(asset).returningAll().executeTakeFirstOrThrow());
}

/** Returns an asset that was not deleted. */
export async function readAsset(db: Kysely<DB>, id: string): Promise<Asset> {
  return found(await read(() => kept(db).where("id", "=", id).executeTakeFirst()), "asset", id);
}

/**
 * Changes an asset.
 *
 * @param version version that was read; another one means that someone else changed the asset meanwhile
 */
export async function updateAsset(
  db: Kysely<DB>,
  id: string,
  version: number,
  change: Omit<Updateable<Assets>, "version" | "raised_amount">,
): Promise<Asset> {
  return write(async () => {
    const row = await db
      .updateTable("assets")
      .set(change)
      .where("id", "=", id)
      .where("version", "=", version)
      .where("deleted_at", "is", null)
      .returningAll()
      .executeTakeFirst();
    const exists = row !== undefined || (await kept(db).where("id", "=", id).executeTakeFirst()) !== undefined;
    return foundVersion(row, exists, "asset", id);
  });
}

/** Hides an asset. The row and its investments stay. */
export async function deleteAsset(db: Kysely<DB>, id: string, version: number): Promise<void> {
  await updateAsset(db, id, version, { deleted_at: new Date() });
}

/** Lists assets, the newest first. */
export function listAssets(db: Kysely<DB>, filter: { status?: Asset["status"] } = {}, page: PageRequest = {}) {
  const query = filter.status === undefined ? kept(db) : kept(db).where("status", "=", filter.status);
  return read(() => pageOf(query, newestFirst, page));
}

/** Finds assets that are offered, by words as one types them into a search engine, the best match first. */
export function searchAssets(db: Kysely<DB>, words: string, limit = 20) {
  return read(() =>
    db
      .selectFrom("assets")
      .select(["id", "code", "name", "asset_class", "expected_return_rate", "raised_amount", "target_amount"])
      .select(({ fn, val, ref }) =>
        fn<number>("ts_rank_cd", [ref("search"), fn("websearch_to_tsquery", [val("english"), val(words)])]).as("rank"),
      )
      .where(({ eb, ref, fn, val }) =>
        eb(ref("search"), "@@", fn<never>("websearch_to_tsquery", [val("english"), val(words)])),
      )
      .where("deleted_at", "is", null)
      .where("status", "in", ["open", "active"])
      .orderBy("rank", "desc")
      .orderBy("id")
      .limit(limit)
      .execute(),
  );
}

/** Lists what is offered in a class, the highest return first. */
export function listOffers(db: Kysely<DB>, assetClass: Asset["asset_class"], minimumReturn: string, limit = 20) {
  return read(() =>
    db
      .selectFrom("assets")
      .select(["id", "code", "name", "expected_return_rate"])
      .where("status", "in", ["open", "active"])
      .where("deleted_at", "is", null)
      .where("asset_class", "=", assetClass)
      .where("expected_return_rate", ">=", minimumReturn)
      .orderBy("expected_return_rate", "desc")
      .limit(limit)
      .execute(),
  );
}

function kept(db: Kysely<DB>) {
  return db.selectFrom("assets").selectAll().where("deleted_at", "is", null);
}
