import type { Client } from "pg";

/** A collation whose version differs from the one that its indexes were built with. */
export interface ChangedCollation {
  /** Qualified and quoted name. undefined for the database's default collation. */
  name: string | undefined;
  /** Version that the catalog recorded. */
  recorded: string;
  /** Version of the C library or of ICU that the server uses now. */
  actual: string;
}

/** A database with changed collations. */
export interface CollationMismatch {
  /** Quoted name. */
  database: string;
  changed: ChangedCollation[];
  /** Qualified and quoted names of the indexes that sort by them. undefined if the database was not searched. */
  indexes: string[] | undefined;
  /** Tables that are partitioned by ranges of such text: rows can be in the wrong partition. */
  partitioned: string[];
}

/** PostgreSQL records the collation version of databases from this version on. */
const firstVersion = 150_000;

/**
 * Lists the databases whose default collation has another version than recorded, by one query in any database. Returns
 * none for servers before PostgreSQL 15, which do not record it, and leaves out databases without a recorded version.
 */
export async function databasesWithChangedCollation(client: Client): Promise<CollationMismatch[]> {
  if (!(await recordsVersions(client))) return [];
  const { rows } = await client.query<{ database: string; recorded: string; actual: string }>(
    `SELECT quote_ident(datname) AS database, datcollversion AS recorded,
            pg_catalog.pg_database_collation_actual_version(oid) AS actual
       FROM pg_catalog.pg_database
      WHERE datallowconn AND datcollversion <> pg_catalog.pg_database_collation_actual_version(oid)
      ORDER BY datname`,
  );
  return rows.map(({ database, ...versions }) => ({
    database,
    changed: [{ name: undefined, ...versions }],
    indexes: undefined,
    partitioned: [],
  }));
}

/**
 * Searches the session's database for changed collations and for the objects that sort by them. Collations that no
 * index and no partitioned table uses are left out: their rows do not depend on an order.
 *
 * For an index with expressions or a predicate, the collations of all columns that it refers to count. It can be named
 * without need, for example if its predicate compares only for equality.
 */
export async function changedCollationsOf(client: Client): Promise<CollationMismatch | undefined> {
  if (!(await recordsVersions(client))) return undefined;
  const { rows } = await client.query<ChangedRow>(search);
  const [first] = rows;
  if (first === undefined) return undefined;
  const all = (key: "indexes" | "partitioned") => [...new Set(rows.flatMap((row) => row[key]))].sort();
  return {
    database: first.database,
    changed: rows.map(({ name, recorded, actual }) => ({ name: name ?? undefined, recorded, actual })),
    indexes: all("indexes"),
    partitioned: all("partitioned"),
  };
}

interface ChangedRow {
  database: string;
  name: string | null;
  recorded: string;
  actual: string;
  indexes: string[];
  partitioned: string[];
}

/** One row for each changed collation of the database. `provider` `d` is the default collation of databases. */
const search = `
  WITH used AS (
    SELECT indexrelid AS object, sorts_by FROM pg_catalog.pg_index, unnest(indcollation) AS sorts_by
    UNION
    SELECT indexrelid, refobjid FROM pg_catalog.pg_index JOIN pg_catalog.pg_depend ON objid = indexrelid
     WHERE classid = 'pg_catalog.pg_class'::regclass AND refclassid = 'pg_catalog.pg_collation'::regclass
    UNION
    SELECT indexrelid, attcollation FROM pg_catalog.pg_index JOIN pg_catalog.pg_depend ON objid = indexrelid
      JOIN pg_catalog.pg_attribute ON attrelid = refobjid AND attnum = refobjsubid
     WHERE classid = 'pg_catalog.pg_class'::regclass AND refclassid = 'pg_catalog.pg_class'::regclass
       AND (indexprs IS NOT NULL OR indpred IS NOT NULL)
    UNION
    SELECT partrelid, sorts_by FROM pg_catalog.pg_partitioned_table, unnest(partcollation) AS sorts_by
     WHERE partstrat = 'r'
  ), named AS (
    SELECT sorts_by, relkind, format('%I.%I', nspname, relname) AS name
      FROM used JOIN pg_catalog.pg_class c ON c.oid = object JOIN pg_catalog.pg_namespace n ON n.oid = relnamespace
  ), versions AS (
    SELECT c.oid, CASE WHEN collprovider <> 'd' THEN format('%I.%I', nspname, collname) END AS name,
           CASE WHEN collprovider = 'd' THEN datcollversion ELSE collversion END AS recorded,
           CASE WHEN collprovider = 'd' THEN pg_catalog.pg_database_collation_actual_version(d.oid)
                ELSE pg_catalog.pg_collation_actual_version(c.oid) END AS actual
      FROM pg_catalog.pg_collation c JOIN pg_catalog.pg_namespace n ON n.oid = collnamespace,
           pg_catalog.pg_database d
     WHERE datname = current_database() AND (collprovider = 'd' OR c.oid IN (SELECT sorts_by FROM used))
  )
  SELECT quote_ident(current_database()) AS database, v.name, recorded, actual,
         ARRAY(SELECT i.name FROM named i WHERE i.sorts_by = v.oid AND relkind = 'i') AS indexes,
         ARRAY(SELECT t.name FROM named t WHERE t.sorts_by = v.oid AND relkind = 'p') AS partitioned
    FROM versions v
   WHERE recorded <> actual
   ORDER BY v.name NULLS FIRST`;

async function recordsVersions(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ records: boolean }>(
    "SELECT current_setting('server_version_num')::int >= $1 AS records",
    [firstVersion],
  );
  return rows[0]?.records === true;
}

/** Number of names that a message lists. */
const mostNames = 20;

/** Describes the mismatch and its repair, over several lines. */
export function describeCollationMismatch({ database, changed, indexes, partitioned }: CollationMismatch): string {
  const collations = changed.map(
    ({ name, recorded, actual }) => `${name ?? "its default collation"} from ${recorded} to ${actual}`,
  );
  const refresh = changed.map(({ name }) =>
    name === undefined
      ? `ALTER DATABASE ${database} REFRESH COLLATION VERSION;`
      : `ALTER COLLATION ${name} REFRESH VERSION;`,
  );
  return [
    `Collation versions of database ${database} have changed: ${collations.join(", ")}. A new C library or ICU can sort text differently: indexes can miss rows and accept duplicates until they are rebuilt.`,
    `  ${affected(indexes)}`,
    ...(partitioned.length === 0
      ? []
      : [
          `  Rows can be in the wrong partition. Check the tables that are partitioned by text: ${listed(partitioned)}.`,
        ]),
    `  Connect to ${database} as the superuser, and run:`,
    ...[`REINDEX DATABASE ${database};`, ...refresh].map((statement) => `    ${statement}`),
  ].join("\n");
}

function affected(indexes: readonly string[] | undefined): string {
  if (indexes === undefined) return "Its indexes were not searched.";
  if (indexes.length === 0) return "No index was found that sorts by them.";
  return `Indexes that can be affected: ${listed(indexes)}.`;
}

function listed(names: readonly string[]): string {
  const more = names.length - mostNames;
  return names.slice(0, mostNames).join(", ") + (more > 0 ? ` and ${more} more` : "");
}
