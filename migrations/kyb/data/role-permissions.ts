import type { Insertable, Kysely, Selectable } from "kysely";
import { found, read, write } from "pgroundwork";
import { type PageRequest, pageOf } from "pgroundwork/kysely";
import type { DB, RolePermissions } from "../types.ts";

export type RolePermission = Selectable<RolePermissions>;

const order = { by: "role_id", id: "permission_id", direction: "asc" } as const;

/** Creates a role's permission. A pair has nothing to change: delete it and create another. */
export function createRolePermission(db: Kysely<DB>, row: Insertable<RolePermissions>): Promise<RolePermission> {
  return write(() => db.insertInto("role_permissions").values(row).returningAll().executeTakeFirstOrThrow());
}

/** Returns a role's permission. */
export async function readRolePermission(
  db: Kysely<DB>,
  roleId: string,
  permissionId: string,
): Promise<RolePermission> {
  const query = rows(db).where("role_id", "=", roleId).where("permission_id", "=", permissionId);
  return found(await read(() => query.executeTakeFirst()), "role's permission", permissionId);
}

/** Deletes a role's permission. */
export async function deleteRolePermission(db: Kysely<DB>, roleId: string, permissionId: string): Promise<void> {
  const gone = db
    .deleteFrom("role_permissions")
    .where("role_id", "=", roleId)
    .where("permission_id", "=", permissionId)
    .returning("permission_id");
  found(await write(() => gone.executeTakeFirst()), "role's permission", permissionId);
}

/** Lists the permissions of roles. */
export function listRolePermissions(db: Kysely<DB>, filter: { roleId?: string } = {}, page: PageRequest = {}) {
  const query = filter.roleId === undefined ? rows(db) : rows(db).where("role_id", "=", filter.roleId);
  return read(() => pageOf(query, order, page));
}

function rows(db: Kysely<DB>) {
  return db.selectFrom("role_permissions").selectAll();
}
