import type { Client } from "pg";
import { OperationError } from "../core/operation-error.ts";

/** SQLSTATE insufficient_privilege. */
const insufficientPrivilege = "42501";

/**
 * Lists those of the given roles that the current role cannot act as: it lacks their privileges (INHERIT) or cannot SET
 * ROLE to them. A role that does not exist is listed, too. A superuser lacks none.
 *
 * Since PostgreSQL 16, a role that creates another one gets only the ADMIN option on it.
 */
export async function lackingMemberships(client: Client, roles: readonly string[]): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT wanted.name
       FROM pg_catalog.unnest($1::text[]) WITH ORDINALITY AS wanted (name, place)
       LEFT JOIN pg_catalog.pg_roles r ON r.rolname = wanted.name
      WHERE r.oid IS NULL OR NOT pg_catalog.pg_has_role(r.oid, 'USAGE')
         OR NOT pg_catalog.pg_has_role(
              r.oid,
              CASE WHEN pg_catalog.current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END)
      ORDER BY wanted.place`,
    [roles],
  );
  return rows.map(({ name }) => name);
}

/**
 * Makes the current role a member of roles that it administers, with their privileges and SET ROLE.
 *
 * @throws OperationError if the current role does not administer one of them
 */
export async function grantOwnMemberships(client: Client, roles: readonly string[]): Promise<void> {
  const { rows } = await client.query<{ version: number; login: string }>(
    "SELECT pg_catalog.current_setting('server_version_num')::int AS version, CURRENT_USER::text AS login",
  );
  const { version = 0, login = "" } = rows[0] ?? {};
  // Earlier versions have no options: a member inherits unless its own attribute is NOINHERIT.
  const options = version >= 160_000 ? " WITH INHERIT TRUE, SET TRUE" : "";
  for (const role of roles) {
    const granted = client.escapeIdentifier(role);
    try {
      await client.query(`GRANT ${granted} TO CURRENT_USER${options}`);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === insufficientPrivilege)) throw error;
      throw new OperationError(`Role "${login}" does not administer the role "${role}": ${error.message}.`, {
        hint: `Ask the owner of the server to run: GRANT ${granted} TO ${client.escapeIdentifier(login)} WITH ADMIN OPTION;`,
        cause: error,
      });
    }
  }
}

/** Revokes memberships that {@link grantOwnMemberships} granted, if the roles still exist. */
export async function revokeOwnMemberships(client: Client, roles: readonly string[]): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    "SELECT rolname::text AS name FROM pg_catalog.pg_roles WHERE rolname = ANY ($1)",
    [roles],
  );
  for (const { name } of rows) await client.query(`REVOKE ${client.escapeIdentifier(name)} FROM CURRENT_USER`);
}
