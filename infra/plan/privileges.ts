import { type DatabaseRole, roleName, type ServerRole } from "./names.ts";

/** The role every login belongs to; its built-in privileges are taken away. */
export const everyone = "public";

/** The schema that migrations make their objects in. */
export const schema = "public";

/** Attributes of a role. `memberOf` and `assumes` are names of roles of PostgreSQL. */
export interface RolePlan {
  name: string;
  login: boolean;
  replication?: boolean;
  memberOf: string[];
  /** Every session of it begins with `SET ROLE` to this one, so that what it makes is owned by that one. */
  assumes?: string;
}

/** A privilege on the database or its schema, as it stands right after `up`. No privileges: whatever was there is revoked. */
export interface GrantPlan {
  role: string;
  on: "database" | "schema";
  privileges: string[];
}

/** A privilege that objects have from the moment the owner makes them. No privileges: the built-in ones are revoked. */
export interface DefaultPrivilegePlan {
  role: string;
  on: "table" | "sequence" | "function";
  privileges: string[];
  /** In every schema, since PostgreSQL revokes built-in defaults only there; otherwise in the one of migrations, whose entries add to those. */
  everywhere?: boolean;
}

/** What default privileges are declared for. */
const kinds = ["function", "table", "sequence"] as const;

/** The whole of one database's rows in the matrix of roles and privileges. */
export interface PrivilegePlan {
  roles: Record<DatabaseRole, RolePlan>;
  grants: GrantPlan[];
  defaults: DefaultPrivilegePlan[];
}

/** Attributes of the roles that a server has once. */
export const serverRolePlans: Record<ServerRole, RolePlan> = {
  monitor: { name: "monitor", login: true, memberOf: ["pg_monitor"] },
  // pgBackRest asks where the data lies and how it is archived.
  backup: { name: "backup", login: true, replication: true, memberOf: ["pg_read_all_settings"] },
};

/** The same role where the server keeps connections free for it: it comes in when applications have taken all others. */
export function withReservedConnections(plan: RolePlan): RolePlan {
  return { ...plan, memberOf: [...plan.memberOf, "pg_use_reserved_connections"] };
}

/**
 * Roles and privileges of one database:
 *
 * | | connect | schema use | tables, sequences | functions | create in schema |
 * |---|---|---|---|---|---|
 * | `<db>_owner` NOLOGIN | yes | yes | owns | owns | yes |
 * | `<db>_migrator`, acts as owner | yes | yes | as owner | as owner | yes |
 * | `<db>_app` | yes | yes | select, insert, update, delete; usage | execute | no |
 * | `<db>_readonly` | yes | yes | select | no | no |
 * | `monitor` (pg_monitor) | yes | no | no | no | no |
 * | `backup` (replication, pg_read_all_settings) | yes | no | no | no | no |
 * | PUBLIC | no | no | no | no | no |
 *
 * Tables are reached by default privileges of the owner and not by grants on all tables: a grant would, at the next `up`, give back what a
 * migration took away from an append-only table. The owner's own rights come from owning the database. In the schema it is granted them all the same: pg_database_owner,
 * through which it would have them, owns no schema in a database that was dumped before PostgreSQL 15.
 *
 * PUBLIC's defaults are declared where PostgreSQL has none, too, so that those that somebody gave by hand show and are taken again.
 */
export function planPrivileges(database: string): PrivilegePlan {
  const owner = roleName(database, "owner");
  const migrator = roleName(database, "migrator");
  const app = roleName(database, "app");
  const readonly = roleName(database, "readonly");
  const connects = [migrator, app, readonly, serverRolePlans.monitor.name, serverRolePlans.backup.name];
  return {
    roles: {
      owner: { name: owner, login: false, memberOf: [] },
      migrator: { name: migrator, login: true, memberOf: [owner], assumes: owner },
      app: { name: app, login: true, memberOf: [] },
      readonly: { name: readonly, login: true, memberOf: [] },
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
