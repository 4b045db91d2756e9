import { join } from "node:path";
import pg from "pg";
import {
  type PrivilegePlan,
  planPrivileges,
  type RolePlan,
  schema,
  serverRolePlans,
} from "../infra/plan/privileges.ts";
import { listDatabases, readDatabaseFile } from "../scripts/database/database-file.ts";
import { withClient } from "../scripts/target/client.ts";
import { type Connection, inDatabase } from "../scripts/target/connection.ts";
import { cloneRoot } from "./clone-root.ts";

/**
 * Makes a database with its four roles and their privileges, by the plan that the program uses, and the extensions of its file where it has one.
 *
 * @param superuser to any database of the server
 * @param password of every role that is made
 */
export async function createDatabase(superuser: Connection, name: string, password: string): Promise<void> {
  const plan = planPrivileges(name);
  const { owner } = plan.roles;
  const id = pg.escapeIdentifier;
  await withClient(superuser, async (client) => {
    for (const role of Object.values(serverRolePlans)) {
      const { rowCount } = await client.query("select from pg_roles where rolname = $1", [role.name]);
      if (rowCount === 0) await client.query(createRole(role, password));
    }
    for (const role of [owner, ...Object.values(plan.roles).filter((each) => each !== owner)])
      await client.query(createRole(role, password));
    await client.query(`create database ${id(name)} owner ${id(owner.name)}`);
  });
  await withClient(inDatabase(superuser, name), async (client) => {
    for (const extension of await extensionsOf(name))
      await client.query(`create extension if not exists ${id(extension)}`);
    for (const statement of privilegeStatements(name, plan)) await client.query(statement);
  });
}

function createRole(role: RolePlan, password: string): string {
  const id = pg.escapeIdentifier;
  const attributes = [role.login ? "login" : "nologin", role.replication ? "replication" : "noreplication"];
  const membership = role.memberOf.length > 0 ? ` in role ${role.memberOf.map(id).join(", ")}` : "";
  const assume = role.assumes === undefined ? "" : `; alter role ${id(role.name)} set role to ${id(role.assumes)}`;
  return `create role ${id(role.name)} ${attributes.join(" ")} password ${pg.escapeLiteral(password)}${membership}${assume}`;
}

function privilegeStatements(name: string, plan: PrivilegePlan): string[] {
  const id = pg.escapeIdentifier;
  const grantee = (role: string) => (role === "public" ? "public" : id(role));
  const grants = plan.grants.map(({ role, on, privileges }) => {
    const object = on === "database" ? `database ${id(name)}` : `schema ${id(schema)}`;
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

async function extensionsOf(database: string): Promise<string[]> {
  const migrations = join(cloneRoot, "migrations");
  if (!(await listDatabases(migrations)).includes(database)) return [];
  const file = await readDatabaseFile(migrations, database);
  return file.extensions.map(({ name }) => name);
}
