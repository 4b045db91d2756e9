import type { Client } from "pg";

/** Answers who can connect to the database `postgres`. */
export interface PostgresAccess {
  /** True if the session's role may change the privileges: it owns the database, or is a superuser. */
  ownsPostgres: boolean;
  /** True if PUBLIC can connect, which is PostgreSQL's default. */
  publicConnects: boolean;
  /** Roles that can connect only because PUBLIC can. Superusers and the roles that will be declared are left out. */
  connectingByPublic: string[];
}

/**
 * Queries the privileges on the database `postgres`.
 *
 * @param declared roles of the stack
 */
export async function readPostgresAccess(client: Client, declared: readonly string[]): Promise<PostgresAccess> {
  const { rows } = await client.query<PostgresAccess>(
    `WITH connecting AS (
       SELECT grantee
         FROM pg_catalog.pg_database, pg_catalog.aclexplode(coalesce(datacl, pg_catalog.acldefault('d', datdba)))
        WHERE datname = 'postgres' AND privilege_type = 'CONNECT'
     )
     SELECT pg_catalog.pg_has_role(datdba, 'USAGE') AS "ownsPostgres",
            EXISTS (SELECT FROM connecting WHERE grantee = 0) AS "publicConnects",
            ARRAY(SELECT rolname::text FROM pg_catalog.pg_roles r
                   WHERE rolcanlogin AND NOT rolsuper AND rolname <> ALL ($1)
                     AND NOT EXISTS (SELECT FROM connecting
                                      WHERE grantee <> 0 AND pg_catalog.pg_has_role(r.oid, grantee, 'USAGE'))
                   ORDER BY 1) AS "connectingByPublic"
       FROM pg_catalog.pg_database WHERE datname = 'postgres'`,
    [declared],
  );
  return rows[0] ?? { ownsPostgres: false, publicConnects: false, connectingByPublic: [] };
}
