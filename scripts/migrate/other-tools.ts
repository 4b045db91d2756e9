import type { Client } from "pg";
import type { Difference } from "../catalog/compare.ts";

/** A table in which another tool records migrations, recognized by its name and columns. */
interface RecordTable {
  tool: string;
  table: string;
  columns: readonly string[];
  /** Columns that exclude this tool, if another tool's table has the same name. */
  without?: readonly string[];
  /** Column that names a migration. */
  version: string;
  /** Column that is greatest for the newest migration. Default: `version`. */
  order?: string;
  /** Further tables that the tool creates. */
  companions?: readonly string[];
}

const recordTables: readonly RecordTable[] = [
  { tool: "golang-migrate", table: "schema_migrations", columns: ["version", "dirty"], version: "version" },
  {
    tool: "dbmate or Rails",
    table: "schema_migrations",
    columns: ["version"],
    without: ["dirty"],
    version: "version",
    companions: ["ar_internal_metadata"],
  },
  { tool: "node-pg-migrate", table: "pgmigrations", columns: ["name", "run_on"], version: "name", order: "id" },
  {
    tool: "Flyway",
    table: "flyway_schema_history",
    columns: ["installed_rank", "script"],
    version: "script",
    order: "installed_rank",
  },
  {
    tool: "Liquibase",
    table: "databasechangelog",
    columns: ["id", "orderexecuted"],
    version: "id",
    order: "orderexecuted",
    companions: ["databasechangeloglock"],
  },
  {
    tool: "Knex",
    table: "knex_migrations",
    columns: ["name", "batch"],
    version: "name",
    order: "id",
    companions: ["knex_migrations_lock"],
  },
  {
    tool: "Prisma",
    table: "_prisma_migrations",
    columns: ["migration_name", "finished_at"],
    version: "migration_name",
    order: "started_at",
  },
  { tool: "Sequelize", table: "SequelizeMeta", columns: ["name"], version: "name" },
  { tool: "TypeORM", table: "migrations", columns: ["id", "timestamp", "name"], version: "name", order: "timestamp" },
  { tool: "Alembic", table: "alembic_version", columns: ["version_num"], version: "version_num" },
  { tool: "Django", table: "django_migrations", columns: ["app", "name"], version: "name", order: "id" },
  {
    tool: "goose",
    table: "goose_db_version",
    columns: ["version_id", "is_applied"],
    version: "version_id",
    order: "id",
  },
];

/** Another migration tool's records in a database. */
export interface OtherTool {
  tool: string;
  /** Table name with its schema. */
  table: string;
  /** Number of recorded migrations, and the newest one; null if this role may not read the table. */
  migrations: number | null;
  newest: string | null;
  /** Further tables of the tool, with their schema. */
  companions: string[];
}

/** Finds the tables in which other migration tools keep their records. */
export async function findOtherTools(client: Client): Promise<OtherTool[]> {
  const { rows } = await client.query<{ schema: string; table: string; columns: string[]; readable: boolean }>(
    `select nspname as schema, relname as "table", has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select') as readable,
            array(select attname::text from pg_attribute where attrelid = c.oid and attnum > 0 and not attisdropped) as columns
       from pg_class c join pg_namespace n on n.oid = relnamespace
      where relkind in ('r', 'p') and relname = any ($1)
      order by 1, 2`,
    [recordTables.flatMap(({ table, companions = [] }) => [table, ...companions])],
  );
  const found: OtherTool[] = [];
  for (const { schema, table, columns, readable } of rows) {
    const known = recordTables.find(
      (each) =>
        each.table === table &&
        each.columns.every((column) => columns.includes(column)) &&
        !each.without?.some((column) => columns.includes(column)),
    );
    if (known === undefined) continue;
    const companions = rows.filter((row) => row.schema === schema && known.companions?.includes(row.table));
    const said = readable ? await readRecords(client, schema, known) : { migrations: null, newest: null };
    found.push({
      tool: known.tool,
      table: `${schema}.${table}`,
      ...said,
      companions: companions.map((row) => `${schema}.${row.table}`),
    });
  }
  return found;
}

async function readRecords(
  client: Client,
  schema: string,
  { table, version, order = version }: RecordTable,
): Promise<Pick<OtherTool, "migrations" | "newest">> {
  const id = (name: string) => client.escapeIdentifier(name);
  const from = `${id(schema)}.${id(table)}`;
  const { rows } = await client.query<{ migrations: number; newest: string | null }>(
    `select (select count(*)::int from ${from}) as migrations,
            (select ${id(version)}::text from ${from} order by ${id(order)} desc limit 1) as newest`,
  );
  return rows[0] ?? { migrations: null, newest: null };
}

/** Returns true if the only difference is an extra table that belongs to one of the tools. */
export function isOtherTools({ kind, name, what }: Difference, tools: readonly OtherTool[]): boolean {
  return (
    what === "extra" && kind === "table" && tools.some(({ table, companions }) => [table, ...companions].includes(name))
  );
}
