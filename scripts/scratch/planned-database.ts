import pg from "pg";
import { type PrivilegePlan, type RolePlan, schema } from "../model/privileges.ts";

const id = pg.escapeIdentifier;

/** Returns the statement that creates a planned role. Without a password the role cannot log in. */
export function createRoleStatement(role: RolePlan, password?: string): string {
  const attributes = [
    role.login ? "login" : "nologin",
    role.replication ? "replication" : "noreplication",
    ...(password === undefined ? [] : [`password ${pg.escapeLiteral(password)}`]),
  ];
  const membership = role.memberOf.length > 0 ? ` in role ${role.memberOf.map(id).join(", ")}` : "";
  const assume = role.assumes === undefined ? "" : `; alter role ${id(role.name)} set role to ${id(role.assumes)}`;
  return `create role ${id(role.name)} ${attributes.join(" ")}${membership}${assume}`;
}

/** Returns the statements that give a new database the planned privileges. They must run in it as a superuser. */
export function privilegeStatements(database: string, plan: PrivilegePlan): string[] {
  const grantee = (role: string) => (role === "public" ? "public" : id(role));
  const grants = plan.grants.map(({ role, on, privileges }) => {
    const object = on === "database" ? `database ${id(database)}` : `schema ${id(schema)}`;
    return privileges.length === 0
      ? `revoke all on ${object} from ${grantee(role)}`
      : `grant ${privileges.join(", ")} on ${object} to ${grantee(role)}`;
  });
  const defaults = plan.defaults.map(({ role, on, privileges, everywhere }) => {
    const scope = `alter default privileges for role ${id(plan.roles.owner.name)}${everywhere ? "" : ` in schema ${id(schema)}`}`;
    return privileges.length === 0
      ? `${scope} revoke all on ${on}s from ${grantee(role)}`
      : `${scope} grant ${privileges.join(", ")} on ${on}s to ${grantee(role)}`;
  });
  return [...grants, ...defaults];
}
