import type { Client } from "pg";
import { monitoringSchema } from "../connection/observer.ts";
import { tableAccess } from "../ledger/kit-schema.ts";

/** Kinds of objects in GRANT. */
export type ObjectKind = "table" | "sequence" | "function";

/** An object in a database. Objects of extensions are left out. */
export interface DatabaseObject {
  /** For privileges, views are tables. A schema is only owned. */
  kind: ObjectKind | "schema";
  /** Type in ALTER … OWNER: `MATERIALIZED VIEW`. */
  type: string;
  /** Qualified, and quoted if needed. Functions include their arguments. */
  name: string;
  schema: string;
  owner: string;
  /** True for a sequence that belongs to a column: it goes with its table. */
  attached: boolean;
  /** True if PUBLIC has a privilege on it. On functions PostgreSQL grants one by default. */
  isPublic: boolean;
}

/** A role that owns objects in a database. */
export interface Owner {
  name: string;
  /**
   * True if REASSIGN OWNED moves only its objects in this database: it owns no other database, no tablespace, and not
   * the server's own catalog.
   */
  reassignable: boolean;
}

/** A setting that is stored for new sessions in a database. Its value may be a secret and is not read. */
export interface StoredSetting {
  name: string;
  /** Role whose sessions it applies to, or null for all roles. */
  role: string | null;
}

/** Objects, owners and settings of a database. */
export interface Contents {
  /**
   * True if the kit has worked in it before, so that its ledger exists. Its schema alone does not count: anyone can
   * create one.
   */
  managed: boolean;
  objects: DatabaseObject[];
  /** Objects in the schemas that record migrations, including the schemas. */
  bookkeeping: DatabaseObject[];
  /** Owners of the objects, without bookkeeping. */
  owners: Owner[];
  /** Settings of this database. */
  settings: StoredSetting[];
  /** Roles with the rights of the role that migrations act as. */
  members: string[];
}

const bookkeepingSchemas = ["pgroundwork", "graphile_migrate"];

const usersSchema = `n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', '${monitoringSchema}')`;

/** Returns SQL that is true if an access control list, with built-in entries filled in, has an entry for PUBLIC. */
const isPublic = (list: string) => `EXISTS (SELECT FROM pg_catalog.aclexplode(${list}) WHERE grantee = 0)`;

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
              AND d.refclassid = d.classid AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')) AS attached,
         ${isPublic("c.relacl")} OR EXISTS (
           SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND ${isPublic("a.attacl")}) AS "isPublic"
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND ${usersSchema}
     AND ('pg_catalog.pg_class'::pg_catalog.regclass, c.oid) NOT IN (SELECT classid, objid FROM member)
  UNION ALL
  SELECT 'function', 'ROUTINE', p.oid::pg_catalog.regprocedure::text, n.nspname,
         pg_catalog.pg_get_userbyid(p.proowner), false,
         ${isPublic("COALESCE(p.proacl, pg_catalog.acldefault('f', p.proowner))")}
    FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
   WHERE ${usersSchema}
     AND ('pg_catalog.pg_proc'::pg_catalog.regclass, p.oid) NOT IN (SELECT classid, objid FROM member)
  UNION ALL
  SELECT 'schema', 'SCHEMA', pg_catalog.quote_ident(n.nspname), n.nspname,
         pg_catalog.pg_get_userbyid(n.nspowner), false, ${isPublic("n.nspacl")}
    FROM pg_catalog.pg_namespace n
   WHERE ${usersSchema}
     AND ('pg_catalog.pg_namespace'::pg_catalog.regclass, n.oid) NOT IN (SELECT classid, objid FROM member)
   ORDER BY 1, 3`;

/** The role with OID 10 created the server. PostgreSQL refuses to reassign its objects. */
const ownersQuery = `
  SELECT r.rolname::text AS name,
         r.oid <> 10
         AND NOT EXISTS (SELECT FROM pg_catalog.pg_database d WHERE d.datdba = r.oid AND d.datname <> pg_catalog.current_database())
         AND NOT EXISTS (SELECT FROM pg_catalog.pg_tablespace t WHERE t.spcowner = r.oid) AS reassignable
    FROM pg_catalog.pg_roles r WHERE r.rolname = ANY ($1) ORDER BY 1`;

const settingsQuery = `
  SELECT pg_catalog.split_part(setting, '=', 1) AS name, r.rolname::text AS role
    FROM pg_catalog.pg_db_role_setting s
         JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase AND d.datname = pg_catalog.current_database()
         LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.setrole,
         pg_catalog.unnest(s.setconfig) setting
   ORDER BY 2 NULLS FIRST, 1`;

const membersQuery = `
  SELECT DISTINCT m.rolname::text AS name
    FROM pg_catalog.pg_auth_members a JOIN pg_catalog.pg_roles o ON o.oid = a.roleid JOIN pg_catalog.pg_roles m ON m.oid = a.member
   WHERE o.rolname = $1 ORDER BY 1`;

/**
 * Reads the catalog. Must be called in a transaction.
 *
 * @param owner the role that migrations act as
 */
export async function readContents(client: Client, owner: string): Promise<Contents> {
  // PostgreSQL qualifies only names that are not found on the search path.
  await client.query("SET LOCAL search_path TO ''");
  const managed = (await tableAccess(client, "pgroundwork", "migration_ledger")) !== "absent";
  const { rows: all } = await client.query<DatabaseObject>(objectsQuery);
  const isBookkeeping = ({ schema }: DatabaseObject) => bookkeepingSchemas.includes(schema);
  const bookkeeping = all.filter(isBookkeeping);
  const objects = all.filter((object) => !isBookkeeping(object));
  const names = [...new Set(objects.map((object) => object.owner))];
  const { rows: owners } = await client.query<Owner>(ownersQuery, [names]);
  const { rows: settings } = await client.query<StoredSetting>(settingsQuery);
  const { rows: members } = await client.query<{ name: string }>(membersQuery, [owner]);
  return { managed, objects, bookkeeping, owners, settings, members: members.map(({ name }) => name) };
}

/** Returns an object's name for messages. */
export function describeObject({ kind, type, name }: DatabaseObject): string {
  return `${kind === "function" ? "function" : type.toLowerCase()} ${name}`;
}
