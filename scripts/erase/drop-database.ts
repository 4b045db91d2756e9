import pg from "pg";
import { databaseRoles, roleName } from "../../infra/plan/names.ts";
import { OperationError } from "../errors/operation-error.ts";
import { withClient } from "../target/client.ts";
import type { Connection } from "../target/connection.ts";

/** A role that could not go with its database, since it has something in another one. */
export interface KeptRole {
  name: string;
  /** What it has there, as PostgreSQL says it. */
  reason: string;
}

/** SQLSTATE dependent_objects_still_exist. */
const stillDependedOn = "2BP01";

/** The roles that belong to a database: those that are there. */
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
 * Drops a database with everything in it, whoever is connected to it, and then its roles. Safe to run again, whatever of it is gone already.
 *
 * @returns the roles that stay
 * @throws OperationError where PostgreSQL refuses to drop the database: nothing was dropped
 */
export async function dropDatabase(admin: Connection, database: string): Promise<KeptRole[]> {
  const name = pg.escapeIdentifier(database);
  return withClient(admin, async (client) => {
    const { rows } = await client.query("SELECT FROM pg_catalog.pg_database WHERE datname = $1 AND datistemplate", [
      database,
    ]);
    if (rows.length > 0) await client.query(`ALTER DATABASE ${name} IS_TEMPLATE false`);
    try {
      await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    } catch (error) {
      if (!(error instanceof pg.DatabaseError)) throw error;
      const detail = error.detail === undefined ? "" : ` ${error.detail}`;
      throw new OperationError(`The database "${database}" could not be dropped: ${error.message}.${detail}`, {
        remedy: "End what it names (a prepared transaction, a replication slot), then erase again.",
        cause: error,
      });
    }
    const kept: KeptRole[] = [];
    // The owner goes last: the others are members of it.
    for (const role of databaseRoles.map((each) => roleName(database, each)).reverse()) {
      try {
        await client.query(`DROP ROLE IF EXISTS ${pg.escapeIdentifier(role)}`);
      } catch (error) {
        if (!(error instanceof pg.DatabaseError && error.code === stillDependedOn)) throw error;
        kept.push({ name: role, reason: (error.detail ?? error.message).replaceAll("\n", ", ") });
      }
    }
    return kept;
  });
}
