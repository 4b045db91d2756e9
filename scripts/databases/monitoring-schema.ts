import type { Client } from "pg";
import { isTrusted, monitoringSchema } from "../connection/observer.ts";
import { OperationError } from "../core/operation-error.ts";
import { recordsFunction } from "./migration-records.ts";

/** Roles of a monitoring schema. */
export interface MonitoringRoles {
  /** Role that reads the schema. */
  monitor: string;
  /** Role that owns the records of migrations. undefined: the database has no migrations of the stack. */
  owner: string | undefined;
}

/** A part of the schema that is missing or was changed, and the statements that create it. */
export interface MonitoringStep {
  /** Name for messages. */
  name: string;
  /** Empty for privileges: {@link createMonitoring} grants and revokes them last. */
  statements: string[];
  /** True if the server may refuse it. Then the part stays out. */
  optional?: true;
}

const extension = "pg_stat_statements";

/** Views of pg_stat_statements that the schema has if the extension is elsewhere in the database. */
export const statementViews: readonly string[] = [extension, `${extension}_info`];

interface Facts {
  database: string;
  isSuperuser: boolean;
  mayCreate: boolean;
  schemaOwner: string | null;
  isTrusted: boolean;
  /** Schema of the extension, quoted; null if it is not installed. */
  extensionSchema: string | null;
  isAvailable: boolean;
  /** Views of the extension that the session may read. */
  readable: string[];
  /** Views in the monitoring schema. */
  present: string[];
  hasFunction: boolean;
  /** Statements that revoke what roles have besides the plan. */
  revocations: string[];
  lacksGrants: boolean;
}

/** Privileges on the schema and what `up` creates in it. Views of the extension itself belong to the extension. */
const factsQuery = `
  WITH space AS (SELECT * FROM pg_catalog.pg_namespace WHERE nspname = '${monitoringSchema}'),
  reader AS (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = $1),
  view AS (
    SELECT c.* FROM pg_catalog.pg_class c JOIN space ON space.oid = relnamespace
     WHERE relkind = 'v' AND relname::text = ANY ($3)
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                        WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e')),
  routine AS (
    SELECT p.* FROM pg_catalog.pg_proc p JOIN space ON space.oid = pronamespace
     WHERE proname = '${recordsFunction.name}' AND pronargs = 0),
  object (kind, name, owner, privilege, list) AS (
    SELECT 'SCHEMA', pg_catalog.quote_ident(nspname), nspowner, 'USAGE',
           coalesce(nspacl, pg_catalog.acldefault('n', nspowner)) FROM space
    UNION ALL
    SELECT 'TABLE', pg_catalog.format('%I.%I', '${monitoringSchema}', relname), relowner, 'SELECT',
           coalesce(relacl, pg_catalog.acldefault('r', relowner)) FROM view
    UNION ALL
    SELECT 'FUNCTION', pg_catalog.format('%I.%I()', '${monitoringSchema}', proname), proowner, 'EXECUTE',
           coalesce(proacl, pg_catalog.acldefault('f', proowner)) FROM routine),
  entry AS (
    SELECT kind, name, privilege, owner, e.grantee, e.privilege_type, e.is_grantable
      FROM object, pg_catalog.aclexplode(list) e WHERE e.grantee <> owner)
  SELECT pg_catalog.current_database()::text AS database,
         (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) AS "isSuperuser",
         pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE') AS "mayCreate",
         (SELECT pg_catalog.pg_get_userbyid(nspowner)::text FROM space) AS "schemaOwner",
         coalesce((SELECT ${isTrusted("nspowner")} FROM space), false) AS "isTrusted",
         (SELECT pg_catalog.quote_ident(n.nspname) FROM pg_catalog.pg_extension JOIN pg_catalog.pg_namespace n ON n.oid = extnamespace
           WHERE extname = '${extension}') AS "extensionSchema",
         EXISTS (SELECT FROM pg_catalog.pg_available_extensions WHERE name = '${extension}') AS "isAvailable",
         ARRAY(SELECT c.relname::text FROM pg_catalog.pg_extension x JOIN pg_catalog.pg_class c ON c.relnamespace = extnamespace
                WHERE extname = '${extension}' AND c.relkind = 'v' AND c.relname::text = ANY ($3)
                  AND pg_catalog.has_schema_privilege(extnamespace, 'USAGE') AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
                ORDER BY 1) AS readable,
         ARRAY(SELECT relname::text FROM view ORDER BY 1) AS present,
         EXISTS (SELECT FROM routine WHERE prosecdef AND prosrc = $4 AND proconfig = ARRAY['search_path=""']
                    AND pg_catalog.pg_get_userbyid(proowner) = $2) AS "hasFunction",
         ARRAY(SELECT DISTINCT pg_catalog.format('REVOKE ALL ON %s %s FROM %s', kind, name,
                        CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(grantee)) END)
                 FROM entry WHERE grantee IS DISTINCT FROM (SELECT oid FROM reader) OR privilege_type <> privilege OR is_grantable
                ORDER BY 1) AS revocations,
         EXISTS (SELECT FROM object WHERE NOT EXISTS (
           SELECT FROM entry WHERE entry.name = object.name AND grantee = (SELECT oid FROM reader)
              AND privilege_type = object.privilege)) AS "lacksGrants"`;

/**
 * Lists what is missing in a database's monitoring schema, as far as the session's role may create it. Only reads.
 *
 * @param isNew true if optional parts are to be tried, which the server may refuse
 * @throws OperationError if another role owns a schema of this name
 */
export async function missingMonitoring(
  client: Client,
  { monitor, owner }: MonitoringRoles,
  isNew: boolean,
): Promise<MonitoringStep[]> {
  const id = (name: string) => client.escapeIdentifier(name);
  const { rows } = await client.query<Facts>(factsQuery, [
    monitor,
    owner ?? null,
    statementViews,
    recordsFunction.body,
  ]);
  const [facts] = rows;
  if (facts === undefined) throw new Error("the server did not describe its database");
  if (facts.schemaOwner !== null && !facts.isTrusted)
    throw new OperationError(
      `Schema ${monitoringSchema} in database "${facts.database}" belongs to "${facts.schemaOwner}", but the stack creates it.`,
      { hint: `Rename it: ALTER SCHEMA ${monitoringSchema} RENAME TO another_name;` },
    );
  if (facts.schemaOwner === null && !facts.mayCreate) return [];
  const steps: MonitoringStep[] = [];
  if (facts.schemaOwner === null)
    steps.push({ name: `schema ${monitoringSchema}`, statements: [`create schema ${monitoringSchema}`] });
  steps.push(...statementSteps(facts, isNew));
  if (owner !== undefined && !facts.hasFunction)
    steps.push({
      name: `function ${monitoringSchema}.${recordsFunction.name}`,
      statements: functionStatements(id(owner), facts.isSuperuser),
    });
  if (steps.length > 0 || facts.lacksGrants || facts.revocations.length > 0)
    steps.push({ name: `privileges of ${monitor} on schema ${monitoringSchema}`, statements: [] });
  return steps;
}

/** pg_stat_statements in the schema itself, or views of it if the database has it elsewhere. */
function statementSteps({ extensionSchema, isAvailable, isSuperuser, readable, present }: Facts, isNew: boolean) {
  const steps: MonitoringStep[] = [];
  if (extensionSchema === null) {
    const create = `create extension ${extension} schema ${monitoringSchema}`;
    if (isAvailable && (isSuperuser || isNew))
      steps.push({ name: `extension ${extension}`, statements: [create], optional: true });
  } else if (extensionSchema !== monitoringSchema) {
    for (const view of readable.filter((each) => !present.includes(each)))
      steps.push({ name: `view ${monitoringSchema}.${view}`, statements: [viewStatement(extensionSchema, view)] });
  }
  return steps;
}

function viewStatement(schema: string, view: string): string {
  return `create view ${monitoringSchema}.${view} as select * from ${schema}.${view}`;
}

/** @param owner quoted */
function functionStatements(owner: string, isSuperuser: boolean): string[] {
  const { name, returns, body } = recordsFunction;
  const target = `${monitoringSchema}.${name}()`;
  const asOwner = `alter function ${target} owner to ${owner}`;
  return [
    `drop function if exists ${target}`,
    `create function ${target} returns ${returns} language plpgsql stable security definer set search_path = '' as $records$${body}$records$`,
    // A role that is not a superuser can only give it to a role that may create objects in the schema.
    ...(isSuperuser
      ? [asOwner]
      : [
          `grant create on schema ${monitoringSchema} to ${owner}`,
          asOwner,
          `revoke create on schema ${monitoringSchema} from ${owner}`,
        ]),
  ];
}

/** Errors of an extension that the server does not let this role create, or cannot load. */
const refusals = ["42501", "0A000", "55000", "58P01", "42704"];

/**
 * Creates what is missing in the monitoring schema, in one transaction.
 *
 * @returns the names of what was created, what the server refused, with its message, and whether the schema exists now
 */
export async function createMonitoring(
  client: Client,
  roles: MonitoringRoles,
): Promise<{ created: string[]; refused: string[]; exists: boolean }> {
  const created: string[] = [];
  const refused: string[] = [];
  await client.query("begin");
  try {
    for (const { name, statements, optional } of await missingMonitoring(client, roles, true)) {
      await client.query("savepoint step");
      try {
        for (const statement of statements) await client.query(statement);
        created.push(name);
      } catch (error) {
        const { code, message } = error as { code?: string; message: string };
        if (optional !== true || !refusals.includes(code ?? "")) throw error;
        await client.query("rollback to savepoint step");
        refused.push(`${name}: ${message}`);
      }
    }
    if (created.length > 0) await restrict(client, roles);
    const { rows } = await client.query<{ exists: boolean }>("select to_regnamespace($1) is not null as exists", [
      monitoringSchema,
    ]);
    await client.query("commit");
    return { created, refused, exists: rows[0]?.exists === true };
  } catch (error) {
    await client.query("rollback").catch(() => {});
    throw error;
  }
}

/** Gives the privileges of the plan to the monitoring role, and takes all others. */
async function restrict(client: Client, roles: MonitoringRoles): Promise<void> {
  const { monitor, owner } = roles;
  const { rows } = await client.query<Facts>(factsQuery, [
    monitor,
    owner ?? null,
    statementViews,
    recordsFunction.body,
  ]);
  const to = client.escapeIdentifier(monitor);
  const [facts] = rows;
  for (const statement of facts?.revocations ?? []) await client.query(statement);
  await client.query(`grant usage on schema ${monitoringSchema} to ${to}`);
  for (const view of facts?.present ?? [])
    await client.query(`grant select on ${monitoringSchema}.${client.escapeIdentifier(view)} to ${to}`);
  if (facts?.hasFunction === true)
    await client.query(`grant execute on function ${monitoringSchema}.${recordsFunction.name}() to ${to}`);
}
