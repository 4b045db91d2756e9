import type { ObjectKind } from "./contents.ts";

/** Privileges by role: `{shop_app: "SELECT, INSERT"}`. */
export type PrivilegesByRole = Readonly<Record<string, string>>;

/** What a database's roles are to have. */
export interface TakeoverWish {
  database: string;
  /** The role that migrations act as. */
  owner: string;
  /** Roles that may have the owner's rights. */
  members: readonly string[];
  /** The schema that migrations make their objects in. */
  schema: string;
  privileges: Readonly<Record<ObjectKind, PrivilegesByRole>>;
}
