import type { Client } from "pg";
import type { ExtensionPrivilege } from "../model/extension-privileges.ts";

/** A planned privilege that a role does not have. */
interface Missing {
  extension: string;
  role: string;
  /** Null if the extension or the role does not exist yet. */
  statement: string | null;
}

/** A privilege that the session may not grant is not missing: on a managed server, the provider grants it. */
const missingQuery = `
  WITH planned AS (
    SELECT place, role, extension, "on", privileges, names, r.oid AS grantee, e.oid AS extension_id
      FROM ROWS FROM (pg_catalog.jsonb_to_recordset($1) AS
             (role text, extension text, "on" text, privileges text[], names text[]))
             WITH ORDINALITY AS p (role, extension, "on", privileges, names, place)
           LEFT JOIN pg_catalog.pg_roles r ON r.rolname = p.role
           LEFT JOIN pg_catalog.pg_extension e ON e.extname = p.extension
  ), member AS (
    SELECT refobjid AS extension_id, classid, objid
      FROM pg_catalog.pg_depend WHERE refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND deptype = 'e'
    UNION
    SELECT oid, 'pg_catalog.pg_namespace'::pg_catalog.regclass, extnamespace FROM pg_catalog.pg_extension
  ), object AS (
    SELECT extension_id, 'schema' AS kind, n.oid, nspname AS plain, pg_catalog.quote_ident(nspname) AS name
      FROM member JOIN pg_catalog.pg_namespace n
        ON classid = 'pg_catalog.pg_namespace'::pg_catalog.regclass AND objid = n.oid
     WHERE nspname <> 'pg_catalog'
    UNION ALL
    SELECT extension_id, 'table', c.oid, relname, pg_catalog.format('%I.%I', nspname, relname)
      FROM member JOIN pg_catalog.pg_class c
        ON classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND objid = c.oid
           JOIN pg_catalog.pg_namespace n ON n.oid = relnamespace
     WHERE relkind IN ('r', 'p', 'v', 'm')
    UNION ALL
    SELECT extension_id, 'sequence', c.oid, relname, pg_catalog.format('%I.%I', nspname, relname)
      FROM member JOIN pg_catalog.pg_class c
        ON classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND objid = c.oid
           JOIN pg_catalog.pg_namespace n ON n.oid = relnamespace
     WHERE relkind = 'S'
    UNION ALL
    SELECT extension_id, 'function', f.oid, proname,
           pg_catalog.format('%I.%I(%s)', nspname, proname, pg_catalog.pg_get_function_identity_arguments(f.oid))
      FROM member JOIN pg_catalog.pg_proc f
        ON classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND objid = f.oid
           JOIN pg_catalog.pg_namespace n ON n.oid = pronamespace
    UNION ALL
    SELECT extension_id, 'foreign data wrapper', w.oid, fdwname, pg_catalog.quote_ident(fdwname)
      FROM member JOIN pg_catalog.pg_foreign_data_wrapper w
        ON classid = 'pg_catalog.pg_foreign_data_wrapper'::pg_catalog.regclass AND objid = w.oid
  )
  SELECT extension, role,
         CASE WHEN o.oid IS NOT NULL THEN
           pg_catalog.format('GRANT %s ON %s %s TO %I',
             pg_catalog.array_to_string(privileges, ', '), pg_catalog.upper(kind), name, role) END AS statement
    FROM planned p LEFT JOIN object o
      ON o.extension_id = p.extension_id AND p.grantee IS NOT NULL AND kind = "on" AND (names IS NULL OR plain = ANY (names))
   WHERE o.oid IS NULL AND (p.extension_id IS NULL OR p.grantee IS NULL)
      OR EXISTS (
        SELECT FROM pg_catalog.unnest(privileges) privilege
         WHERE NOT ${has("p.grantee, o.oid, privilege")}
           AND ${has("o.oid, privilege || ' WITH GRANT OPTION'")})
   ORDER BY place, name`;

/** Returns SQL that is true if a role has a privilege on the object of the query. Default: the session's own role. */
function has(roleObjectPrivilege: string): string {
  return `CASE kind WHEN 'schema' THEN pg_catalog.has_schema_privilege(${roleObjectPrivilege})
                    WHEN 'table' THEN pg_catalog.has_table_privilege(${roleObjectPrivilege})
                    WHEN 'sequence' THEN pg_catalog.has_sequence_privilege(${roleObjectPrivilege})
                    WHEN 'function' THEN pg_catalog.has_function_privilege(${roleObjectPrivilege})
                    ELSE pg_catalog.has_foreign_data_wrapper_privilege(${roleObjectPrivilege}) END`;
}

/**
 * Lists the planned privileges that roles do not have, as far as the session may grant them. If the extension or the
 * role does not exist yet, all of its privileges are missing.
 */
export async function missingExtensionPrivileges(
  client: Client,
  plan: readonly ExtensionPrivilege[],
): Promise<Missing[]> {
  const { rows } = await client.query<Missing>(missingQuery, [JSON.stringify(plan)]);
  return rows;
}

/** Grants the planned privileges that are missing. Returns them. */
export async function grantExtensionPrivileges(
  client: Client,
  plan: readonly ExtensionPrivilege[],
): Promise<Missing[]> {
  const missing = await missingExtensionPrivileges(client, plan);
  for (const { statement } of missing) if (statement !== null) await client.query(statement);
  return missing;
}
