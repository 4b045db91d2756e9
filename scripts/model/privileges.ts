import { type DatabaseRole, roleName, type ServerRole } from "./names.ts";

/** The role that every login belongs to. Its built-in privileges are revoked. */
export const everyone = "public";

/** The schema in which migrations create objects. */
export const schema = "public";

/** Attributes of a role. `memberOf` and `assumes` are names of PostgreSQL roles. */
export interface RolePlan {
  name: string;
  login: boolean;
  replication?: boolean;
  memberOf: string[];
  /**
   * Role for `SET ROLE` at the start of every session, which makes it the owner of objects that the session creates.
   */
  assumes?: string;
  /** Ends sessions of the role that are idle in a transaction for this long. 0: never. */
  idleInTransactionSeconds?: number;
}

/**
 * Privileges on the database or its schema, as they are right after `up`. An empty list revokes all existing
 * privileges.
 */
export interface GrantPlan {
  role: string;
  on: "database" | "schema";
  privileges: string[];
}

/** Privileges that objects get when the owner creates them. An empty list revokes the built-in ones. */
export interface DefaultPrivilegePlan {
  role: string;
  on: "table" | "sequence" | "function";
  privileges: string[];
  /**
   * True for all schemas: PostgreSQL revokes built-in defaults only there. Otherwise the entry adds to them in the
   * schema of migrations.
   */
  everywhere?: boolean;
}

/** Object types with default privileges. */
const kinds = ["function", "table", "sequence"] as const;

/** Roles, grants and default privileges of one database. */
export interface PrivilegePlan {
  roles: Record<DatabaseRole, RolePlan>;
  grants: GrantPlan[];
  defaults: DefaultPrivilegePlan[];
}

/** Attributes of the roles that exist once for each server. */
export const serverRolePlans: Record<ServerRole, RolePlan> = {
  monitor: { name: "monitor", login: true, memberOf: ["pg_monitor"] },
  // pgBackRest queries the location of the data and the archive settings.
  backup: { name: "backup", login: true, replication: true, memberOf: ["pg_read_all_settings"] },
};

/**
 * Attributes of these roles on a server whose admin is not a superuser. It can create no replication role there, and
 * the provider of the server makes the backups.
 */
export const limitedServerRolePlans: Record<ServerRole, RolePlan> = {
  monitor: serverRolePlans.monitor,
  backup: { name: serverRolePlans.backup.name, login: true, memberOf: [] },
};

/**
 * Returns the plan of a role that can use reserved connections: it can connect when applications have taken all others.
 */
export function withReservedConnections(plan: RolePlan): RolePlan {
  return { ...plan, memberOf: [...plan.memberOf, "pg_use_reserved_connections"] };
}

/**
 * Privileges on the database `postgres`, in this order: nobody loses access that has to be granted. postgres_exporter
 * and pgBackRest connect there. The superuser needs no privilege.
 */
export const postgresGrants: readonly GrantPlan[] = [
  { role: serverRolePlans.monitor.name, on: "database", privileges: ["CONNECT"] },
  { role: serverRolePlans.backup.name, on: "database", privileges: ["CONNECT"] },
  { role: everyone, on: "database", privileges: [] },
];

/**
 * Plans the roles and privileges of one database:
 *
 * | | connect | schema use | tables, sequences | functions | create in schema | monitoring schema |
 * |---|---|---|---|---|---|---|
 * | `<db>_owner` NOLOGIN | yes | yes | owns | owns | yes | no |
 * | `<db>_migrator`, acts as owner | yes | yes | as owner | as owner | yes | no |
 * | `<db>_app` | yes | yes | select, insert, update, delete; usage | execute | no | no |
 * | `<db>_readonly` | yes | yes | select | no | no | no |
 * | `monitor` (pg_monitor) | yes | no | no | no | no | reads |
 * | `backup` (replication, pg_read_all_settings) | yes | no | no | no | no | no |
 * | PUBLIC | no | no | no | no | no | no |
 *
 * Access to tables comes from default privileges of the owner and not from grants on all tables. At the next `up`, a
 * grant would restore privileges that a migration revoked on an append-only table. The owner gets its own privileges
 * from owning the database. In the schema they are granted as well: they would come through pg_database_owner, which
 * owns no schema in a database that was dumped before PostgreSQL 15.
 *
 * PUBLIC's defaults are declared even where PostgreSQL has none, so that defaults that were granted by hand are
 * detected and revoked.
 *
 * @param idleInTransactionSeconds limit of the roles of applications. The migrator has none, since it waits for locks
 */
export function planPrivileges(database: string, idleInTransactionSeconds = 0): PrivilegePlan {
  const owner = roleName(database, "owner");
  const migrator = roleName(database, "migrator");
  const app = roleName(database, "app");
  const readonly = roleName(database, "readonly");
  const connects = [migrator, app, readonly, serverRolePlans.monitor.name, serverRolePlans.backup.name];
  return {
    roles: {
      owner: { name: owner, login: false, memberOf: [] },
      migrator: { name: migrator, login: true, memberOf: [owner], assumes: owner },
      app: { name: app, login: true, memberOf: [], idleInTransactionSeconds },
      readonly: { name: readonly, login: true, memberOf: [], idleInTransactionSeconds },
    },
    grants: [
      { role: everyone, on: "database", privileges: [] },
      { role: everyone, on: "schema", privileges: [] },
      ...connects.map((role): GrantPlan => ({ role, on: "database", privileges: ["CONNECT"] })),
      { role: owner, on: "schema", privileges: ["CREATE", "USAGE"] },
      { role: app, on: "schema", privileges: ["USAGE"] },
      { role: readonly, on: "schema", privileges: ["USAGE"] },
    ],
    defaults: [
      ...kinds.map((on): DefaultPrivilegePlan => ({ role: everyone, on, privileges: [], everywhere: true })),
      ...kinds.map((on): DefaultPrivilegePlan => ({ role: everyone, on, privileges: [] })),
      { role: app, on: "table", privileges: ["SELECT", "INSERT", "UPDATE", "DELETE"] },
      { role: app, on: "sequence", privileges: ["USAGE"] },
      { role: app, on: "function", privileges: ["EXECUTE"] },
      { role: readonly, on: "table", privileges: ["SELECT"] },
      { role: readonly, on: "sequence", privileges: ["SELECT"] },
    ],
  };
}
