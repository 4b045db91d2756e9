import { join } from "node:path";
import pg from "pg";
import { withClient } from "../scripts/connection/client.ts";
import { type Connection, inDatabase } from "../scripts/connection/connection.ts";
import { listDatabases, readDatabaseFile } from "../scripts/databases/database-file.ts";
import { planPrivileges, serverRolePlans } from "../scripts/model/privileges.ts";
import { createRoleStatement, privilegeStatements } from "../scripts/scratch/planned-database.ts";
import { cloneRoot } from "./clone-root.ts";

/**
 * Creates a database with its four roles and their privileges, from the same plan as the Pulumi program. Also creates
 * the extensions of its database.json, if it has one.
 *
 * @param superuser connection to any database of the server
 * @param password password of every role that is created
 */
export async function createDatabase(superuser: Connection, name: string, password: string): Promise<void> {
  const plan = planPrivileges(name);
  const { owner } = plan.roles;
  const id = pg.escapeIdentifier;
  await withClient(superuser, async (client) => {
    for (const role of Object.values(serverRolePlans)) {
      const { rowCount } = await client.query("select from pg_roles where rolname = $1", [role.name]);
      if (rowCount === 0) await client.query(createRoleStatement(role, password));
    }
    for (const role of [owner, ...Object.values(plan.roles).filter((each) => each !== owner)])
      await client.query(createRoleStatement(role, password));
    await client.query(`create database ${id(name)} owner ${id(owner.name)}`);
  });
  await withClient(inDatabase(superuser, name), async (client) => {
    for (const extension of await extensionsOf(name))
      await client.query(`create extension if not exists ${id(extension)}`);
    for (const statement of privilegeStatements(name, plan)) await client.query(statement);
  });
}

async function extensionsOf(database: string): Promise<string[]> {
  const migrations = join(cloneRoot, "migrations");
  if (!(await listDatabases(migrations)).includes(database)) return [];
  const file = await readDatabaseFile(migrations, database);
  return file.extensions.map(({ name }) => name);
}
