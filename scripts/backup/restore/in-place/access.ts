import pg from "pg";
import { OperationError } from "../../../core/operation-error.ts";
import { everyone } from "../../../model/privileges.ts";
import type { SocketServer } from "../contents.ts";

/** A role that the state of a stack declares. */
export interface DeclaredRole {
  name: string;
  /** Attributes in the words of CREATE ROLE, such as `LOGIN`. */
  attributes: string[];
  memberOf: string[];
  /** Settings of its sessions, as in `ALTER ROLE … SET`. */
  settings: Record<string, string>;
}

/** Privileges that the state of a stack declares. None: all of the role's are revoked. */
export interface DeclaredGrant {
  database: string;
  role: string;
  on:
    | { kind: "database" }
    | { kind: "schema"; schema: string }
    | { kind: "defaults"; owner: string; objects: string; schema?: string };
  privileges: string[];
}

/** Roles and privileges that the state of a stack declares. */
export interface DeclaredAccess {
  roles: DeclaredRole[];
  grants: DeclaredGrant[];
  /** Passwords by role, with that of the superuser. */
  passwords: Readonly<Record<string, string>>;
}

/** Limits waits for locks: a prepared transaction that came back holds its locks without end. */
export const lockTimeout = "set lock_timeout = '20s';";

/**
 * Creates the declared roles, memberships and privileges that a restored cluster lacks. Its own time may be one before
 * they were added, and the next `up` would not notice: their state says that they exist. Databases that the cluster
 * does not have are left out.
 *
 * @param onFailure called with the reason if the privileges of one database could not be set
 */
export async function restoreAccess(
  server: SocketServer,
  { roles, grants }: Omit<DeclaredAccess, "passwords">,
  onFailure: (database: string, reason: string) => void,
): Promise<void> {
  const names = async (sql: string) => new Set((await server.query<{ name: string }>(sql)).map(({ name }) => name));
  const there = await names("select rolname as name from pg_roles");
  const missing = roles.filter(({ name }) => !there.has(name));
  const created = missing.flatMap(({ name, attributes, settings }) => [
    `create role ${pg.escapeIdentifier(name)} ${attributes.join(" ")};`,
    ...Object.entries(settings).map(
      ([key, value]) => `alter role ${pg.escapeIdentifier(name)} set ${key} to ${value};`,
    ),
  ]);
  const joined = (await missingMemberships(server, roles)).map(
    ({ name, group }) => `grant ${pg.escapeIdentifier(group)} to ${pg.escapeIdentifier(name)};`,
  );
  if (created.length + joined.length > 0) await server.execute([lockTimeout, ...created, ...joined].join("\n"));
  const databases = await names("select datname as name from pg_database where datallowconn");
  for (const database of new Set(grants.map((each) => each.database))) {
    if (!databases.has(database)) continue;
    const statements = grants.filter((each) => each.database === database).map(grantStatement);
    try {
      await server.execute([lockTimeout, "begin;", ...statements, "commit;"].join("\n"), database);
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      onFailure(database, error.message);
    }
  }
}

/** Lists memberships that do not exist, also of roles that do. */
async function missingMemberships(server: SocketServer, roles: readonly DeclaredRole[]) {
  const held = await server.query<{ name: string; group: string }>(
    `select m.rolname as name, g.rolname as group from pg_auth_members
       join pg_roles m on m.oid = member join pg_roles g on g.oid = roleid`,
  );
  return roles.flatMap(({ name, memberOf }) =>
    memberOf
      .filter((group) => !held.some((each) => each.name === name && each.group === group))
      .map((group) => ({ name, group })),
  );
}

function grantStatement({ database, role, on, privileges }: DeclaredGrant): string {
  const id = (name: string) => pg.escapeIdentifier(name);
  const who = role === everyone ? "public" : id(role);
  const isRevoked = privileges.length === 0;
  const what = isRevoked ? "revoke all" : `grant ${privileges.join(", ")}`;
  const end = `${isRevoked ? "from" : "to"} ${who};`;
  switch (on.kind) {
    case "database":
      return `${what} on database ${id(database)} ${end}`;
    case "schema":
      return `${what} on schema ${id(on.schema)} ${end}`;
    case "defaults": {
      const scope = on.schema === undefined ? "" : ` in schema ${id(on.schema)}`;
      return `alter default privileges for role ${id(on.owner)}${scope} ${what} on ${on.objects} ${end}`;
    }
  }
}
