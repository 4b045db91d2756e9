import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { inject } from "vitest";
import { type DatabaseRole, roleName } from "../../infra/plan/names.ts";
import {
  type PrivilegePlan,
  planPrivileges,
  type RolePlan,
  schema,
  serverRolePlans,
} from "../../infra/plan/privileges.ts";
import { listDatabases, readDatabaseFile } from "../../scripts/database/database-file.ts";
import { ensureServer, stopServer } from "../../scripts/server/embedded.ts";
import { withClient } from "../../scripts/target/client.ts";
import type { Connection } from "../../scripts/target/connection.ts";
import { cloneRoot } from "../clone-root.ts";

/** A server of a test's own. */
export interface TestServer {
  /** As the superuser, to `postgres` or the database named. */
  connection(database?: string): Connection;
  /** Makes a database with its four roles and their privileges, by the plan that the program uses. */
  createDatabase(name: string): Promise<void>;
  /** As a role of a database that {@link createDatabase} made. */
  as(role: Exclude<DatabaseRole, "owner">, database: string): Connection;
  logDirectory: string;
  dataDirectory: string;
  pid: number;
  /** Stops it and removes what it kept. */
  stop(): Promise<void>;
}

const password = "test-password-of-every-role";
/** Small, since several run at once; unsafe settings save the disk, and no test pulls the plug. */
const settings = { shared_buffers: "32MB", max_connections: "60", fsync: "off", synchronous_commit: "off" };

/** Starts a server in the run's scratch folder. Its binaries are shared with the other servers of the run. */
export async function startServer(extra: Record<string, string> = {}): Promise<TestServer> {
  const home = join(inject("scratch"), "data-home");
  const folder = join(home, "servers", randomUUID());
  const server = await ensureServer({ home, folder, superuserPassword: password, settings: { ...settings, ...extra } });
  const login = (user: string, database: string): Connection => {
    return { host: server.host, port: server.port, user, password, database, sslmode: "disable" };
  };
  const connection = (database = "postgres") => login("postgres", database);
  return {
    connection,
    as: (role, database) => login(roleName(database, role), database),
    createDatabase: (name) => createDatabase(connection, name),
    logDirectory: server.directory.log,
    dataDirectory: server.directory.data,
    pid: server.pid,
    stop: async () => {
      await stopServer(home, server.directory);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function createDatabase(connection: (database?: string) => Connection, name: string): Promise<void> {
  const plan = planPrivileges(name);
  const { owner } = plan.roles;
  const id = pg.escapeIdentifier;
  await withClient(connection(), async (client) => {
    for (const role of Object.values(serverRolePlans)) {
      const { rowCount } = await client.query("select from pg_roles where rolname = $1", [role.name]);
      if (rowCount === 0) await client.query(createRole(role));
    }
    for (const role of [owner, ...Object.values(plan.roles).filter((each) => each !== owner)])
      await client.query(createRole(role));
    await client.query(`create database ${id(name)} owner ${id(owner.name)}`);
  });
  await withClient(connection(name), async (client) => {
    for (const extension of await extensionsOf(name))
      await client.query(`create extension if not exists ${id(extension)}`);
    for (const statement of privilegeStatements(name, plan)) await client.query(statement);
  });
}

function createRole(role: RolePlan): string {
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
