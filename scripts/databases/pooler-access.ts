import type { Client } from "pg";
import { isTrusted } from "../connection/observer.ts";
import { OperationError } from "../core/operation-error.ts";
import { poolerFunction as name, pooledRoles, poolerSchema } from "../model/pooler.ts";

const signature = `${poolerSchema}.${name}(text)`;

/**
 * Body of the function. It returns the password's SCRAM verifier, only of roles that applications use and that may log
 * in now: a verifier is all that is needed to pose as the server.
 */
const body = `
  select r.rolname::text, r.rolpassword
    from pg_catalog.pg_authid r
   where r.rolname = $1 and r.rolcanlogin and not r.rolsuper and not r.rolreplication and not r.rolbypassrls
     and (r.rolvaliduntil is null or r.rolvaliduntil > pg_catalog.now())
     and exists (select from pg_catalog.pg_database d
                  where r.rolname in (${pooledRoles.map((role) => `d.datname || '_${role}'`).join(", ")}))`;

interface Facts {
  database: string;
  schemaOwner: string | null;
  isTrusted: boolean;
  hasFunction: boolean;
  /** False if a privilege is missing, or another role has one. */
  hasGrants: boolean;
  connects: boolean;
}

/** The schema, the function, the role and the privileges of all roles but the owners. */
const entries = `
  WITH space AS (SELECT * FROM pg_catalog.pg_namespace WHERE nspname = '${poolerSchema}'),
  routine AS (
    SELECT p.* FROM pg_catalog.pg_proc p JOIN space ON space.oid = pronamespace
     WHERE proname = '${name}' AND pg_catalog.oidvectortypes(proargtypes) = 'text'),
  reader AS (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = $1),
  entry AS (
    SELECT 'SCHEMA ${poolerSchema}' AS object, e.grantee FROM space,
           pg_catalog.aclexplode(coalesce(nspacl, pg_catalog.acldefault('n', nspowner))) e WHERE e.grantee <> nspowner
    UNION ALL
    SELECT 'FUNCTION ${signature}', e.grantee FROM routine,
           pg_catalog.aclexplode(coalesce(proacl, pg_catalog.acldefault('f', proowner))) e WHERE e.grantee <> proowner)`;

const revocationsQuery = `${entries}
  SELECT DISTINCT pg_catalog.format('REVOKE ALL ON %s FROM %s', object,
           CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(grantee)) END) AS statement
    FROM entry WHERE grantee IS DISTINCT FROM (SELECT oid FROM reader)`;

const factsQuery = `${entries}
  SELECT pg_catalog.current_database()::text AS database,
         (SELECT pg_catalog.pg_get_userbyid(nspowner)::text FROM space) AS "schemaOwner",
         coalesce((SELECT ${isTrusted("nspowner")} FROM space), false) AS "isTrusted",
         EXISTS (SELECT FROM routine JOIN pg_catalog.pg_roles owner ON owner.oid = proowner
                  WHERE prosecdef AND prosrc = $2 AND proconfig = ARRAY['search_path=""'] AND rolsuper) AS "hasFunction",
         (SELECT pg_catalog.count(*) = 2 AND pg_catalog.bool_and(grantee = (SELECT oid FROM reader)) FROM entry)
           IS TRUE AS "hasGrants",
         EXISTS (SELECT FROM pg_catalog.pg_database d,
                        pg_catalog.aclexplode(coalesce(datacl, pg_catalog.acldefault('d', datdba))) e
                  WHERE datname = pg_catalog.current_database() AND e.grantee = (SELECT oid FROM reader)
                    AND e.privilege_type = 'CONNECT') AS connects`;

/**
 * Lists what the pooler's role lacks in the database `postgres` to look up logins. Only reads.
 *
 * @throws OperationError if another role owns a schema of the name
 */
export async function missingPoolerAccess(client: Client, role: string): Promise<string[]> {
  const { rows } = await client.query<Facts>(factsQuery, [role, body]);
  const [facts] = rows;
  if (facts === undefined) throw new Error("the server did not describe its database");
  if (facts.schemaOwner !== null && !facts.isTrusted)
    throw new OperationError(
      `Schema ${poolerSchema} in database "${facts.database}" belongs to "${facts.schemaOwner}", but the stack creates it.`,
      { hint: `Rename it: ALTER SCHEMA ${poolerSchema} RENAME TO another_name;` },
    );
  return [
    ...(facts.connects ? [] : [`privilege of ${role} to connect to ${facts.database}`]),
    ...(facts.hasFunction ? [] : [`function ${poolerSchema}.${name}`]),
    ...(facts.hasFunction && !facts.hasGrants ? [`privileges of ${role} on ${poolerSchema}.${name}`] : []),
  ];
}

/**
 * Lets the pooler's role look up logins, in one transaction. No other role can.
 *
 * @returns the names of what was missing
 */
export async function grantPoolerAccess(client: Client, role: string): Promise<string[]> {
  const to = client.escapeIdentifier(role);
  await client.query("begin");
  try {
    const missing = await missingPoolerAccess(client, role);
    const { rows } = await client.query<{ database: string }>("select current_database() as database");
    const database = client.escapeIdentifier(rows[0]?.database ?? "postgres");
    for (const statement of [
      `grant connect on database ${database} to ${to}`,
      `create schema if not exists ${poolerSchema}`,
      `drop function if exists ${signature}`,
      `create function ${poolerSchema}.${name}(text) returns table (username text, password text)
       language sql stable security definer set search_path = '' as $login$${body}$login$`,
      `revoke all on function ${signature} from public`,
      `grant usage on schema ${poolerSchema} to ${to}`,
      `grant execute on function ${signature} to ${to}`,
    ])
      await client.query(statement);
    // Given by hand, or by default privileges.
    const { rows: revocations } = await client.query<{ statement: string }>(revocationsQuery, [role]);
    for (const { statement } of revocations) await client.query(statement);
    await client.query("commit");
    return missing;
  } catch (error) {
    await client.query("rollback").catch(() => {});
    throw error;
  }
}
