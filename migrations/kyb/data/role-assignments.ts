import type { Insertable, Kysely, Selectable, Updateable } from "kysely";
import { actingUser, found, read, write } from "pgroundwork";
import { containing, type PageRequest, pageOf } from "pgroundwork/kysely";
import type { DB, RoleAssignments } from "../types.ts";

export type RoleAssignment = Selectable<RoleAssignments>;

const order = { by: "assigned_at", id: "id", direction: "desc" } as const;

/** Assigns a role as the acting user. Two periods of the same role do not overlap. */
export function createRoleAssignment(
  db: Kysely<DB>,
  row: Omit<Insertable<RoleAssignments>, "assigned_by">,
): Promise<RoleAssignment> {
  const values = { ...row, assigned_by: actingUser() };
  return write(() => db.insertInto("role_assignments").values(values).returningAll().executeTakeFirstOrThrow());
}

/** Returns a role assignment. */
export async function readRoleAssignment(db: Kysely<DB>, id: string): Promise<RoleAssignment> {
  return found(await read(() => rows(db).where("id", "=", id).executeTakeFirst()), "role assignment", id);
}

/** Changes a role assignment. */
export async function updateRoleAssignment(
  db: Kysely<DB>,
  id: string,
  change: Pick<Updateable<RoleAssignments>, "expires_at" | "reason">,
): Promise<RoleAssignment> {
  const update = db.updateTable("role_assignments").set(change).where("id", "=", id);
  return found(await write(() => update.returningAll().executeTakeFirst()), "role assignment", id);
}

/** Revokes a role as the acting user. The assignment stays, for the audit. */
export async function deleteRoleAssignment(db: Kysely<DB>, id: string, reason: string): Promise<void> {
  const update = db
    .updateTable("role_assignments")
    .set((eb) => ({ revoked_at: eb.fn<string>("now"), revoked_by: actingUser(), revoke_reason: reason }))
    .where("id", "=", id)
    .where("revoked_at", "is", null);
  found(await write(() => update.returning("id").executeTakeFirst()), "role assignment", id);
}

/** Lists role assignments, the newest first. */
export function listRoleAssignments(db: Kysely<DB>, filter: { userId?: string } = {}, page: PageRequest = {}) {
  const query = filter.userId === undefined ? rows(db) : rows(db).where("user_id", "=", filter.userId);
  return read(() => pageOf(query, order, page));
}

/** Finds role assignments by a part of their reason. */
export function searchRoleAssignments(db: Kysely<DB>, text: string, page: PageRequest = {}) {
  const pattern = containing(text);
  return read(() => pageOf(rows(db).where("reason", "ilike", pattern), order, page));
}

function rows(db: Kysely<DB>) {
  return db.selectFrom("role_assignments").selectAll();
}
