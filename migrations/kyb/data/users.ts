import type { Insertable, Kysely, Selectable, Updateable } from "kysely";
import { found, read, write } from "pgroundwork";
import { containing, type PageRequest, pageOf } from "pgroundwork/kysely";
import type { DB, Users } from "../types.ts";

export type User = Selectable<Users>;

const newestFirst = { by: "created_at", id: "id", direction: "desc" } as const;

/** Creates a user. People sign up themselves, so this needs no author. */
export function createUser(db: Kysely<DB>, user: Insertable<Users>): Promise<User> {
  return read(() => db.insertInto("users").values(user).returningAll().executeTakeFirstOrThrow());
}

/** Returns a user who was not deleted. */
export async function readUser(db: Kysely<DB>, id: string): Promise<User> {
  return found(await read(() => active(db).where("id", "=", id).executeTakeFirst()), "user", id);
}

/** Finds the user of a login, by email or by name. */
export function findUserByLogin(db: Kysely<DB>, login: string): Promise<User | undefined> {
  const lower = login.toLowerCase();
  return read(() =>
    active(db)
      .where((eb) => eb.or([eb("email", "=", lower), eb("username", "=", lower)]))
      .executeTakeFirst(),
  );
}

/** Changes a user. */
export async function updateUser(db: Kysely<DB>, id: string, change: Updateable<Users>): Promise<User> {
  const update = db.updateTable("users").set(change).where("id", "=", id).where("deleted_at", "is", null);
  return found(await write(() => update.returningAll().executeTakeFirst()), "user", id);
}

/** Records a login: the time and address, or one more failed attempt. */
export async function recordLogin(
  db: Kysely<DB>,
  id: string,
  login: { ip: string; succeeded: boolean },
): Promise<void> {
  const update = db.updateTable("users").where("id", "=", id);
  const done = login.succeeded
    ? update.set((eb) => ({ last_login_at: eb.fn<string>("now"), last_login_ip: login.ip, failed_login_attempts: 0 }))
    : update.set((eb) => ({ failed_login_attempts: eb("failed_login_attempts", "+", 1) }));
  found(await read(() => done.returning("id").executeTakeFirst()), "user", id);
}

/** Hides a user. The row stays, and its email and name become free. */
export async function deleteUser(db: Kysely<DB>, id: string): Promise<void> {
  const update = db
    .updateTable("users")
    .set((eb) => ({ status: "closed" as const, deleted_at: eb.fn<string>("now") }))
    .where("id", "=", id)
    .where("deleted_at", "is", null);
  found(await write(() => update.returning("id").executeTakeFirst()), "user", id);
}

/** Lists users, the newest first. */
export function listUsers(db: Kysely<DB>, filter: { status?: User["status"] } = {}, page: PageRequest = {}) {
  const query = filter.status === undefined ? active(db) : active(db).where("status", "=", filter.status);
  return read(() => pageOf(query, newestFirst, page));
}

/** Finds users by a part of their name, company or email. */
export function searchUsers(db: Kysely<DB>, text: string, page: PageRequest = {}) {
  const pattern = containing(text);
  const query = active(db).where((eb) =>
    eb.or([eb("full_name", "ilike", pattern), eb("company", "ilike", pattern), eb("email", "ilike", pattern)]),
  );
  return read(() => pageOf(query, newestFirst, page));
}

function active(db: Kysely<DB>) {
  return db.selectFrom("users").selectAll().where("deleted_at", "is", null);
}
