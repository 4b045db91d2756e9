import { isTrusted, monitoringSchema, NotKnown, type Observer } from "../connection/observer.ts";

/**
 * A database's record of one migration: it is applied, or it was begun outside a transaction and its end is not known.
 */
export interface MigrationRecord {
  /** `000012.sql`; null if it is not applied. */
  trackingName: string | null;
  hash: string;
  appliedAt: Date | null;
  /** Name of the file in the kit's ledger; null if only graphile-migrate recorded the migration. */
  filename: string | null;
  direction: "up" | "down" | null;
  sha256: string | null;
  acceptedSha256: string | null;
  startedAt: Date | null;
  finishedAt: Date | null;
}

const columns = `tracking_name text, hash text, applied_at timestamptz, filename text, direction text, sha256 text,
  accepted_sha256 text, started_at timestamptz, finished_at timestamptz`;

/** Returns the query of all records. A table that does not exist counts as empty. */
function recordsQuery(hasTracking: boolean, hasLedger: boolean): string {
  const tracked = hasTracking
    ? "select hash, filename, date from graphile_migrate.migrations"
    : "select null::text as hash, null::text as filename, null::timestamptz as date where false";
  // Ledgers of earlier versions have no column outcome.
  const ledger = hasLedger
    ? "select l.*, pg_catalog.to_jsonb(l) ->> 'outcome' as result from pgroundwork.migration_ledger l"
    : `select null::bigint as id, null::text as hash, null::text as filename, null::text as direction, null::text as sha256,
              null::timestamptz as started_at, null::timestamptz as finished_at, null::text as result where false`;
  return `
    select t.filename, coalesce(t.hash, e.hash), t.date, e.filename, e.direction, e.sha256, a.sha256, e.started_at, e.finished_at
      from (${tracked}) t
      full join (select distinct on (hash) * from (${ledger}) entry
                  where result is null or result not in ('failed', 'accepted') order by hash, id desc) e on e.hash = t.hash
      left join (select distinct on (hash) hash, sha256 from (${ledger}) entry
                  where result = 'accepted' order by hash, id desc) a on a.hash = coalesce(t.hash, e.hash)
     where t.hash is not null or (e.direction = 'up' and e.finished_at is null)
     order by 1, 8`;
}

/** Condition on pg_class and pg_namespace: one of the two tables with records. */
const isRecord = `(n.nspname::text, c.relname::text) in (('graphile_migrate', 'migrations'), ('pgroundwork', 'migration_ledger'))`;

/** Condition on pg_class: reading it runs no code of its owner. */
const isPlain = "(c.relkind = 'r' and not c.relrowsecurity)";

/** Name and body of the function that returns the records. It runs as the owner of the database. */
export const recordsFunction = {
  name: "migrations",
  returns: `table (${columns})`,
  body: `
#variable_conflict use_column
declare
  tables text[] := array(select n.nspname || '.' || c.relname from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace where ${isRecord} and ${isPlain} order by 1);
begin
  if exists (select from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
              where ${isRecord} and not ${isPlain}) then
    raise object_not_in_prerequisite_state using message = 'the records of migrations are not plain tables';
  end if;
  case tables
    when '{}' then return;
    when '{graphile_migrate.migrations}' then return query ${recordsQuery(true, false)};
    when '{pgroundwork.migration_ledger}' then return query ${recordsQuery(false, true)};
    else return query ${recordsQuery(true, true)};
  end case;
end `,
} as const;

interface RecordTable {
  name: string;
  isPlain: boolean;
  isReadable: boolean;
}

/**
 * Reads the records of migrations: from the tables, or by the function of the monitoring schema if the role may not
 * read them.
 *
 * @returns undefined if the database has no such records
 * @throws NotKnown if they cannot be read, or if the schema or a table is not as the kit creates it
 */
export async function readMigrationRecords(observer: Observer): Promise<MigrationRecord[] | undefined> {
  const tables = await observer.query<RecordTable>(
    `select n.nspname || '.' || c.relname as name, ${isPlain} as "isPlain",
            has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select') as "isReadable"
       from pg_class c join pg_namespace n on n.oid = c.relnamespace where ${isRecord} order by 1`,
  );
  if (tables.length === 0) return undefined;
  const strange = tables.filter((table) => !table.isPlain).map(({ name }) => name);
  if (strange.length > 0) throw new NotKnown(`not plain tables, and therefore not read: ${strange.join(", ")}`);
  const has = (name: string) => tables.some((table) => table.name === name);
  const query = tables.every(({ isReadable }) => isReadable)
    ? recordsQuery(has("graphile_migrate.migrations"), has("pgroundwork.migration_ledger"))
    : await functionCall(observer);
  const names = `"trackingName", hash, "appliedAt", filename, direction, sha256, "acceptedSha256", "startedAt", "finishedAt"`;
  return observer.query<MigrationRecord>(`select * from (${query}) r (${names})`);
}

interface FoundFunction {
  owner: string;
  isTrusted: boolean;
  isExecutable: boolean;
  isUnchanged: boolean;
}

/** Returns the query that calls the function, after comparing it with what `up` creates. */
async function functionCall(observer: Observer): Promise<string> {
  const { name, body } = recordsFunction;
  const [found] = await observer.query<FoundFunction>(
    `select pg_get_userbyid(n.nspowner) as owner, ${isTrusted("n.nspowner")} as "isTrusted",
            p.prosecdef and p.prosrc = $1 and p.proconfig = array['search_path=""'] as "isUnchanged",
            has_schema_privilege(n.oid, 'usage') and has_function_privilege(p.oid, 'execute') as "isExecutable"
       from pg_namespace n left join pg_proc p on p.pronamespace = n.oid and p.proname = '${name}' and p.pronargs = 0
      where n.nspname = '${monitoringSchema}'`,
    [body],
  );
  const role = `role "${observer.facts.user}" may not read the records of migrations`;
  if (found === undefined)
    throw new NotKnown(`${role}, and the database has no schema ${monitoringSchema}, which \`up\` creates`);
  if (!found.isTrusted)
    throw new NotKnown(`${role}, and schema ${monitoringSchema} belongs to "${found.owner}", not to the stack's login`);
  if (found.isUnchanged !== true)
    throw new NotKnown(`${role}, and ${monitoringSchema}.${name}() is missing or was changed; \`up\` creates it again`);
  if (!found.isExecutable) throw new NotKnown(`${role} or call ${monitoringSchema}.${name}()`);
  return `select * from ${monitoringSchema}.${name}()`;
}
