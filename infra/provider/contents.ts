import type { Client } from "pg";

/** What privileges are granted on as one. */
export type ObjectKind = "table" | "sequence" | "function";

/** An object that a database holds, extensions' own left out. */
export interface DatabaseObject {
  /** Views are tables to privileges; a schema is only owned. */
  kind: ObjectKind | "schema";
  /** As ALTER … OWNER calls it: `MATERIALIZED VIEW`. */
  type: string;
  /** Qualified and quoted where that is needed; functions with their arguments. */
  name: string;
  schema: string;
  owner: string;
  /** A sequence of a column: it goes with its table. */
  attached: boolean;
}

/** A role that owns objects in a database. */
export interface Owner {
  name: string;
  /** REASSIGN OWNED moves its objects in this database and nothing else: it owns no other database, no tablespace, and not the server's own catalog. */
  reassignable: boolean;
}

/** What a database holds, beside the kit's own bookkeeping. */
export interface Contents {
  /** The kit has worked in it before. */
  managed: boolean;
  objects: DatabaseObject[];
  owners: Owner[];
}

const usersSchema =
  "n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'pgroundwork', 'graphile_migrate')";

const objectsQuery = `
  WITH member AS MATERIALIZED (SELECT classid, objid FROM pg_catalog.pg_depend WHERE deptype = 'e')
  SELECT CASE c.relkind WHEN 'S' THEN 'sequence' ELSE 'table' END AS kind,
         CASE c.relkind WHEN 'S' THEN 'SEQUENCE' WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW'
                        WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END AS type,
         c.oid::pg_catalog.regclass::text AS name, n.nspname::text AS schema,
         pg_catalog.pg_get_userbyid(c.relowner)::text AS owner,
         c.relkind = 'S' AND EXISTS (
           SELECT FROM pg_catalog.pg_depend d
            WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid
              AND d.refclassid = d.classid AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')) AS attached
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND ${usersSchema}
     AND ('pg_catalog.pg_class'::pg_catalog.regclass, c.oid) NOT IN (SELECT classid, objid FROM member)
  UNION ALL
  SELECT 'function', 'ROUTINE', p.oid::pg_catalog.regprocedure::text, n.nspname,
         pg_catalog.pg_get_userbyid(p.proowner), false
    FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
   WHERE ${usersSchema}
     AND ('pg_catalog.pg_proc'::pg_catalog.regclass, p.oid) NOT IN (SELECT classid, objid FROM member)
  UNION ALL
  SELECT 'schema', 'SCHEMA', pg_catalog.quote_ident(n.nspname), n.nspname,
         pg_catalog.pg_get_userbyid(n.nspowner), false
    FROM pg_catalog.pg_namespace n
   WHERE ${usersSchema}
     AND ('pg_catalog.pg_namespace'::pg_catalog.regclass, n.oid) NOT IN (SELECT classid, objid FROM member)
   ORDER BY 1, 3`;

/** The role with OID 10 made the server: PostgreSQL refuses to reassign what it owns. */
const ownersQuery = `
  SELECT r.rolname::text AS name,
         r.oid <> 10
         AND NOT EXISTS (SELECT FROM pg_catalog.pg_database d WHERE d.datdba = r.oid AND d.datname <> pg_catalog.current_database())
         AND NOT EXISTS (SELECT FROM pg_catalog.pg_tablespace t WHERE t.spcowner = r.oid) AS reassignable
    FROM pg_catalog.pg_roles r WHERE r.rolname = ANY ($1) ORDER BY 1`;

/** Reads the catalog; call in a transaction. */
export async function readContents(client: Client): Promise<Contents> {
  // Names come qualified only for what is not found on the path.
  await client.query("SET LOCAL search_path TO ''");
  const managed = await client.query("SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'pgroundwork'");
  const { rows: objects } = await client.query<DatabaseObject>(objectsQuery);
  const names = [...new Set(objects.map(({ owner }) => owner))];
  const { rows: owners } = await client.query<Owner>(ownersQuery, [names]);
  return { managed: managed.rows.length > 0, objects, owners };
}
