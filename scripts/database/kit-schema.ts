import type { Client } from "pg";

/** The kit's own schema in a database: its ledgers. Whoever migrates owns it; nobody else has a privilege in it. */
const schema = "pgroundwork";

const ledgers = {
  migration_ledger: `
    create table if not exists pgroundwork.migration_ledger (
      id bigint generated always as identity primary key,
      filename text not null,
      direction text not null check (direction in ('up', 'down')),
      hash text not null,
      sha256 text not null,
      down_sha256 text,
      started_at timestamptz not null,
      finished_at timestamptz,
      duration_ms double precision,
      applied_by text not null default session_user,
      host text not null,
      kit_version text not null,
      run_id uuid not null
    );
    comment on table pgroundwork.migration_ledger is
      'One row per run of a migration file. finished_at is null where a file that cannot run in a transaction was begun and its end is not known.';
    revoke all on pgroundwork.migration_ledger from public;`,
  seed_ledger: `
    create table if not exists pgroundwork.seed_ledger (
      seed_set text not null,
      filename text not null,
      sha256 text not null,
      applied_at timestamptz not null,
      duration_ms double precision not null,
      applied_by text not null default session_user,
      host text not null,
      kit_version text not null,
      run_id uuid not null,
      primary key (seed_set, filename)
    );
    comment on table pgroundwork.seed_ledger is 'The last run of each seed file.';
    revoke all on pgroundwork.seed_ledger from public;`,
} as const;

export type LedgerTable = keyof typeof ledgers;

/**
 * Makes a ledger table where it is absent, in one transaction; call with the deployment lock. Nothing is issued when it is there, since
 * CREATE … IF NOT EXISTS wants the privilege to create all the same.
 */
export async function ensureLedger(client: Client, table: LedgerTable): Promise<void> {
  const { rows } = await client.query<{ schema: boolean; table: boolean }>(
    `select true as schema, exists (select from pg_class where relnamespace = n.oid and relname = $2) as "table"
       from pg_namespace n where nspname = $1`,
    [schema, table],
  );
  if (rows[0]?.table === true) return;
  const makeSchema =
    rows[0] === undefined
      ? "create schema if not exists pgroundwork; revoke all on schema pgroundwork from public;"
      : "";
  // Several statements in one simple query are one transaction.
  await client.query(`${makeSchema} ${ledgers[table]}`);
}

/** How a table stands to the role that asks. */
export type TableAccess = "readable" | "absent" | "denied";

/** Looks in the catalog, which every role may read; asking for the table itself would not tell absence from a lacking privilege. */
export async function tableAccess(client: Client, schemaName: string, table: string): Promise<TableAccess> {
  const { rows } = await client.query<{ readable: boolean }>(
    `select has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select') as readable
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = $1 and c.relname = $2 and c.relkind in ('r', 'p', 'v')`,
    [schemaName, table],
  );
  if (rows[0] === undefined) return "absent";
  return rows[0].readable ? "readable" : "denied";
}
