import type { Client } from "pg";
import { readContents } from "../../../scripts/adopt/contents.ts";
import { withClient } from "../../../scripts/connection/client.ts";
import { type Connection, inDatabase } from "../../../scripts/connection/connection.ts";
import { ConnectionError } from "../../../scripts/connection/connection-error.ts";
import { schema } from "../../../scripts/model/privileges.ts";
import type { AdminFacts, DeclaredObjects, ExistingDatabase, ForeignObject } from "../../plan/admin-facts.ts";

type Attributes = Pick<
  AdminFacts,
  "admin" | "version" | "createRole" | "createDatabase" | "replication" | "bypassRowSecurity" | "inherit"
> & { isSuperuser: boolean };

const attributesQuery = `
  SELECT rolname::text AS admin, pg_catalog.current_setting('server_version_num')::int AS version,
         rolsuper AS "isSuperuser", rolcreaterole AS "createRole", rolcreatedb AS "createDatabase",
         rolreplication AS replication, rolbypassrls AS "bypassRowSecurity", rolinherit AS inherit
    FROM pg_catalog.pg_roles WHERE rolname = CURRENT_USER`;

/**
 * SQL that is true if the current role can grant a role: it has the ADMIN option, itself or through a role whose
 * privileges it has.
 */
const administers = (role: string) => `EXISTS (
  SELECT FROM pg_catalog.pg_auth_members a
   WHERE a.roleid = ${role} AND a.admin_option AND pg_catalog.pg_has_role(a.member, 'USAGE'))`;

const rolesQuery = `
  SELECT rolname::text AS name, rolsuper AS superuser, rolreplication AS replication,
         rolbypassrls AS "bypassRowSecurity", rolcreatedb AS "createDatabase", ${administers("r.oid")} AS administered,
         COALESCE((
           SELECT pg_catalog.jsonb_agg(DISTINCT pg_catalog.jsonb_build_object(
                    'role', g.rolname,
                    'revocable', CASE WHEN pg_catalog.current_setting('server_version_num')::int < 160000
                                      THEN NOT g.rolsuper ELSE pg_catalog.pg_has_role(m.grantor, 'USAGE') END))
             FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles g ON g.oid = m.roleid
            WHERE m.member = r.oid), '[]') AS "memberOf"
    FROM pg_catalog.pg_roles r WHERE rolname = ANY ($1) ORDER BY 1`;

const grantableQuery = `
  SELECT rolname::text AS name FROM pg_catalog.pg_roles r WHERE rolname = ANY ($1) AND ${administers("r.oid")}`;

const databasesQuery = `
  SELECT datname::text AS name, o.rolname::text AS owner, o.rolsuper AS "ownerIsSuperuser",
         pg_catalog.pg_has_role(o.oid, 'USAGE') AS owned,
         datallowconn AND pg_catalog.has_database_privilege(d.oid, 'CONNECT') AS open
    FROM pg_catalog.pg_database d JOIN pg_catalog.pg_roles o ON o.oid = d.datdba
   WHERE datname = ANY ($1) ORDER BY 1`;

const extensionsQuery = `
  SELECT e.name::text, v.superuser AND NOT v.trusted AS restricted
    FROM pg_catalog.pg_available_extensions e
    JOIN pg_catalog.pg_available_extension_versions v ON v.name = e.name AND v.version = e.default_version
   ORDER BY 1`;

/** Settings of managed servers that list extensions. */
const listsQuery = `
  SELECT name, setting FROM pg_catalog.pg_settings
   WHERE name IN ('azure.extensions', 'rds.allowed_extensions', 'supautils.privileged_extensions')`;

const providerRoles = ["rds_superuser", "cloudsqlsuperuser", "azure_pg_admin", "neon_superuser", "alloydbsuperuser"];

/** Reads the rights of the role that is logged in, and those of the declared objects that the server has. */
export async function readAdminFacts(
  client: Client,
  connection: Connection,
  declared: DeclaredObjects,
): Promise<{ isSuperuser: boolean; facts: AdminFacts }> {
  const rows = async <Row extends object>(sql: string, values?: unknown[]) =>
    (await client.query<Row>(sql, values)).rows;
  const [own] = await rows<Attributes>(attributesQuery);
  if (own === undefined) throw new Error("the server did not describe the role that is logged in");
  const { isSuperuser, ...attributes } = own;
  const names = declared.roles.map(({ name }) => name);
  const outside = declared.roles.flatMap(({ memberOf }) => memberOf).filter((role) => !names.includes(role));
  const found = await rows<ExistingDatabase & { open: boolean }>(databasesQuery, [
    declared.databases.map(({ name }) => name),
  ]);
  const lists = await rows<{ name: string; setting: string }>(listsQuery);
  const facts: AdminFacts = {
    ...attributes,
    roles: await rows(rolesQuery, [names]),
    grantable: (await rows<{ name: string }>(grantableQuery, [outside])).map(({ name }) => name),
    databases: [],
    extensions: await rows(extensionsQuery),
    allowLists: Object.fromEntries(lists.map(({ name, setting }) => [name, setting])),
    hasProviderRole:
      (await rows("SELECT FROM pg_catalog.pg_roles WHERE rolname = ANY ($1)", [providerRoles])).length > 0,
  };
  if (isSuperuser) return { isSuperuser, facts };
  for (const { open, ...database } of found) {
    const owner = declared.databases.find(({ name }) => name === database.name)?.owner ?? "";
    const content = open ? await contentOf(inDatabase(connection, database.name), owner) : undefined;
    facts.databases.push({ ...database, ...(content === undefined ? {} : { content }) });
  }
  return { isSuperuser, facts };
}

/** Owners whose privileges the current role does not have. pg_database_owner stands for the database's owner. */
const othersQuery = `
  SELECT rolname::text AS name, rolsuper AS superuser FROM pg_catalog.pg_roles
   WHERE rolname = ANY ($1) AND rolname <> 'pg_database_owner' AND NOT pg_catalog.pg_has_role(oid, 'USAGE')`;

/**
 * Reads the objects of a database that an adoption changes, and its extensions. Returns undefined if the database
 * accepts no connection.
 */
async function contentOf(connection: Connection, owner: string): Promise<ExistingDatabase["content"]> {
  try {
    return await withClient(connection, async (client) => {
      await client.query("BEGIN READ ONLY");
      const { managed, objects, bookkeeping } = await readContents(client, owner);
      // Adoption changes objects once. Afterwards they are as declared.
      const changed = managed
        ? []
        : [...objects.filter((each) => each.schema === schema), ...bookkeeping].filter(({ attached }) => !attached);
      const { rows: others } = await client.query<{ name: string; superuser: boolean }>(othersQuery, [
        changed.map((each) => each.owner),
      ]);
      const { rows: extensions } = await client.query<{ name: string }>(
        "SELECT extname::text AS name FROM pg_catalog.pg_extension ORDER BY 1",
      );
      await client.query("COMMIT");
      const foreign = changed.flatMap(({ type, name, owner: owns }): ForeignObject[] => {
        const other = others.find((each) => each.name === owns);
        return other === undefined
          ? []
          : [{ object: `${type} ${name}`, owner: owns, ownerIsSuperuser: other.superuser }];
      });
      return { foreign, extensions: extensions.map(({ name }) => name) };
    });
  } catch (error) {
    if (error instanceof ConnectionError) return undefined;
    throw error;
  }
}
