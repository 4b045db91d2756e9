import type { Insertable, Kysely, Selectable, Updateable } from "kysely";
import { found, read, write } from "pgroundwork";
import { containing, type PageRequest, pageOf } from "pgroundwork/kysely";
import type { DB, Roles } from "../types.ts";

export type Role = Selectable<Roles>;

const order = { by: "name", id: "id", direction: "asc" } as const;

/** Creates a role. */
export function createRole(db: Kysely<DB>, row: Insertable<Roles>): Promise<Role> {
  return write(() => db.insertInto("roles").values(row).returningAll().executeTakeFirstOrThrow());
}

/** Returns a role. */
export async function readRole(db: Kysely<DB>, id: string): Promise<Role> {
  return found(await read(() => rows(db).where("id", "=", id).executeTakeFirst()), "role", id);
}

/** Changes a role. */
export async function updateRole(db: Kysely<DB>, id: string, change: Updateable<Roles>): Promise<Role> {
  const update = db.updateTable("roles").set(change).where("id", "=", id);
  return found(await write(() => update.returningAll().executeTakeFirst()), "role", id);
}

/** Deletes a role. */
export async function deleteRole(db: Kysely<DB>, id: string): Promise<void> {
  const gone = db.deleteFrom("roles").where("id", "=", id).returning("id");
  found(await write(() => gone.executeTakeFirst()), "role", id);
}

/** Lists roles, by name. */
export function listRoles(db: Kysely<DB>, page: PageRequest = {}) {
  return read(() => pageOf(rows(db), order, page));
}

/** Finds roles by a part of their name or description. */
export function searchRoles(db: Kysely<DB>, text: string, page: PageRequest = {}) {
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
  return db.selectFrom("roles").selectAll();
}
