import type { ObjectKind } from "./contents.ts";

/** Privileges by role: `{shop_app: "SELECT, INSERT"}`. */
export type PrivilegesByRole = Readonly<Record<string, string>>;

/** The roles and privileges that an adopted database will have. */
export interface TakeoverWish {
  database: string;
  /** The role that migrations act as. */
  owner: string;
  /** Roles that can have the owner's rights. */
  members: readonly string[];
  /** The schema in which migrations create objects. */
  schema: string;
  privileges: Readonly<Record<ObjectKind, PrivilegesByRole>>;
}
