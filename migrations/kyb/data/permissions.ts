import type { Insertable, Kysely, Selectable, Updateable } from "kysely";
import { found, read, write } from "pgroundwork";
import { containing, type PageRequest, pageOf } from "pgroundwork/kysely";
import type { DB, Permissions } from "../types.ts";

export type Permission = Selectable<Permissions>;

const order = { by: "name", id: "id", direction: "asc" } as const;

/** Creates a permission. */
export function createPermission(db: Kysely<DB>, row: Insertable<Permissions>): Promise<Permission> {
  return write(() => db.insertInto("permissions").values(row).returningAll().executeTakeFirstOrThrow());
}

/** Returns a permission. */
export async function readPermission(db: Kysely<DB>, id: string): Promise<Permission> {
  return found(await read(() => rows(db).where("id", "=", id).executeTakeFirst()), "permission", id);
}

/** Changes a permission. */
export async function updatePermission(
  db: Kysely<DB>,
  id: string,
  change: Pick<Updateable<Permissions>, "description">,
): Promise<Permission> {
  const update = db.updateTable("permissions").set(change).where("id", "=", id);
  return found(await write(() => update.returningAll().executeTakeFirst()), "permission", id);
}

/** Deletes a permission. */
export async function deletePermission(db: Kysely<DB>, id: string): Promise<void> {
  const gone = db.deleteFrom("permissions").where("id", "=", id).returning("id");
  found(await write(() => gone.executeTakeFirst()), "permission", id);
}

/** Lists permissions, by name. */
export function listPermissions(db: Kysely<DB>, page: PageRequest = {}) {
  return read(() => pageOf(rows(db), order, page));
}

/** Finds permissions by a part of their name or description. */
export function searchPermissions(db: Kysely<DB>, text: string, page: PageRequest = {}) {
  const pattern = containing(text);
  return read(() =>
    pageOf(
      rows(db).where((eb) => eb.or([eb("name", "ilike", pattern), eb("description", "ilike", pattern)])),
      order,
      page,
    ),
  );
}

function rows(db: Kysely<DB>) {
  return db.selectFrom("permissions").selectAll();
}
