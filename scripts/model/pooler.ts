import type { RolePlan } from "./privileges.ts";

/** The role with which PgBouncer looks up logins. It can do nothing else. */
export const poolerRolePlan: RolePlan = { name: "pooler", login: true, memberOf: [] };

/** Schema in the database `postgres` with the function that looks up a login. */
export const poolerSchema = "pgroundwork_pooler";

/** Name of that function. It takes a role's name. */
export const poolerFunction = "find_login";

/** Roles of a database that applications use. Only they can log in through the pooler. */
export const pooledRoles = ["app", "readonly"] as const;
