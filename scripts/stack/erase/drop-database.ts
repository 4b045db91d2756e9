import type { Client } from "pg";
import pg from "pg";
import { withClient } from "../../connection/client.ts";
import type { Connection } from "../../connection/connection.ts";
import { grantOwnMemberships, lackingMemberships, revokeOwnMemberships } from "../../connection/own-memberships.ts";
import { refuseEndlessCommits } from "../../connection/synchronous-standbys.ts";
import { OperationError } from "../../core/operation-error.ts";
import { removeJobsOf } from "../../databases/jobs.ts";
import { databaseRoles, roleName } from "../../model/names.ts";

/**
 * A role that could not be dropped with its database: objects in another database depend on it, or the admin does not
 * administer it.
 */
export interface KeptRole {
  name: string;
  /** PostgreSQL's description of these objects, or of the missing right. */
  reason: string;
}

/** SQLSTATEs dependent_objects_still_exist and insufficient_privilege. */
const keepsRole = ["2BP01", "42501"];

const insufficientPrivilege = "42501";

/** Lists the existing roles of a database. */
export async function rolesOf(admin: Connection, database: string): Promise<string[]> {
  const names = databaseRoles.map((role) => roleName(database, role));
  return withClient(admin, async (client) => {
    const { rows } = await client.query<{ rolname: string }>(
      "SELECT rolname FROM pg_catalog.pg_roles WHERE rolname = ANY ($1)",
      [names],
    );
    return names.filter((name) => rows.some(({ rolname }) => rolname === name));
  });
}

/**
 * Drops a database with everything in it, even if sessions are connected, and then its roles. It can be run again if
 * some of them are already gone.
 *
 * @returns the roles that stay
 * @throws OperationError if PostgreSQL refuses to drop the database; then nothing was dropped
 */
export async function dropDatabase(admin: Connection, database: string): Promise<KeptRole[]> {
  const name = pg.escapeIdentifier(database);
  return withClient(admin, async (client) => {
    await refuseEndlessCommits(client);
    const { rows } = await client.query("SELECT FROM pg_catalog.pg_database WHERE datname = $1 AND datistemplate", [
      database,
    ]);
    if (rows.length > 0) await client.query(`ALTER DATABASE ${name} IS_TEMPLATE false`);
    const { granted, refused } = await joinSessionRoles(client, database);
    try {
      await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    } catch (error) {
      await revokeOwnMemberships(client, granted);
      if (!(error instanceof pg.DatabaseError)) throw error;
      const detail = error.detail === undefined ? "" : ` ${error.detail}`;
      throw new OperationError(`Cannot drop the database "${database}": ${error.message}.${detail}`, {
        hint:
          error.code === insufficientPrivilege
            ? `The login does not administer ${refused.join(", ") || "the owner"}. End the sessions of these roles in the database, or drop it as its owner. Then erase again.`
            : "End the prepared transaction or drop the replication slot that the error names. Then erase again.",
        cause: error,
      });
    }
    await revokeOwnMemberships(client, granted);
    await removeJobsOf(client, database);
    const kept: KeptRole[] = [];
    // The owner is dropped last, because the others are members of it.
    for (const role of databaseRoles.map((each) => roleName(database, each)).reverse()) {
      try {
        await client.query(`DROP ROLE IF EXISTS ${pg.escapeIdentifier(role)}`);
      } catch (error) {
        if (!(error instanceof pg.DatabaseError && keepsRole.includes(error.code ?? ""))) throw error;
        kept.push({ name: role, reason: (error.detail ?? error.message).replaceAll("\n", ", ") });
      }
    }
    return kept;
  });
}

/** Roles of sessions in a database, and its owner, by whether the admin could become a member of them. */
interface SessionRoles {
  /** Memberships that were granted. */
  granted: string[];
  /** Roles whose sessions the admin cannot end. */
  refused: string[];
}

/**
 * Gives the admin the privileges of the database's owner and of all roles that have sessions in it, as far as it
 * administers them. Without them, only a superuser can end these sessions.
 */
async function joinSessionRoles(client: Client, database: string): Promise<SessionRoles> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT rolname::text AS name FROM pg_catalog.pg_roles
      WHERE oid IN (SELECT usesysid FROM pg_catalog.pg_stat_activity WHERE datname = $1)
         OR oid IN (SELECT datdba FROM pg_catalog.pg_database WHERE datname = $1)
      ORDER BY 1`,
    [database],
  );
  const names = rows.map(({ name }) => name);
  const roles: SessionRoles = { granted: [], refused: [] };
  for (const role of await lackingMemberships(client, names)) {
    try {
      await grantOwnMemberships(client, [role]);
      roles.granted.push(role);
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      roles.refused.push(role);
    }
  }
  return roles;
}
