import type { RolePlan } from "../../scripts/model/privileges.ts";

/** A role that the server already has. */
export interface ExistingRole {
  name: string;
  superuser: boolean;
  replication: boolean;
  bypassRowSecurity: boolean;
  createDatabase: boolean;
  /** True if the admin has the ADMIN option on it, itself or through a role whose privileges it has. */
  administered: boolean;
  /** Roles that it is a member of. `revocable`: the admin has the privileges of the role that granted it. */
  memberOf: { role: string; revocable: boolean }[];
}

/** An object or a schema whose owner's privileges the admin does not have. */
export interface ForeignObject {
  /** As ALTER takes it: `TABLE public.shelf`. */
  object: string;
  owner: string;
  ownerIsSuperuser: boolean;
}

/** A declared database that the server already has. */
export interface ExistingDatabase {
  name: string;
  owner: string;
  ownerIsSuperuser: boolean;
  /** True if the admin has the privileges of the owner. */
  owned: boolean;
  /** Its content. Absent if the admin cannot connect to it. */
  content?: { foreign: ForeignObject[]; extensions: string[] };
}

/** An extension that the server offers. */
export interface OfferedExtension {
  name: string;
  /** True if PostgreSQL lets only a superuser create it: it is not marked as trusted. */
  restricted: boolean;
}

/** The rights of a stack's admin on a server, and the declared objects that the server already has. */
export interface AdminFacts {
  admin: string;
  /** `server_version_num`. */
  version: number;
  createRole: boolean;
  createDatabase: boolean;
  replication: boolean;
  bypassRowSecurity: boolean;
  inherit: boolean;
  roles: ExistingRole[];
  /** Roles outside the stack that the admin can grant to others. */
  grantable: string[];
  databases: ExistingDatabase[];
  extensions: OfferedExtension[];
  /** Lists of allowed extensions in the settings of managed servers, by the name of the setting. */
  allowLists: Record<string, string>;
  /** True if the server has an administrative role of a provider, which lets it create some restricted extensions. */
  hasProviderRole: boolean;
}

/** An extension that a database declares. */
export interface DeclaredExtension {
  name: string;
  optional: boolean;
  /** Schema of its objects. */
  schema?: string;
}

/** Objects that a stack declares. */
export interface DeclaredObjects {
  roles: RolePlan[];
  databases: { name: string; owner: string; extensions: DeclaredExtension[] }[];
}

/** Rights that the admin lacks, and that the same statements grant. */
export interface MissingRight {
  /** The things that the admin cannot do, one sentence for each. */
  reasons: string[];
  /** Statements that the owner of the server runs, in this order. `database`: run in this one. */
  statements: { sql: string; database?: string }[];
  /** Advice if no statement grants the right. */
  hint?: string;
}

/** A right that the admin lacks, before those of the same statements are joined. */
export type OneRight = Omit<MissingRight, "reasons"> & { reason: string };

/** Quotes an identifier. */
export type Quote = (name: string) => string;

export interface RightsPlan {
  missing: MissingRight[];
  /** Optional extensions that the admin cannot create. */
  leftOut: { database: string; extension: string }[];
}

/** A database that a stack declares. */
export type DeclaredDatabase = DeclaredObjects["databases"][number];
