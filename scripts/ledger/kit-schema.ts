import type { Client } from "pg";

/**
 * The kit's own schema in a database, which holds its ledgers. The role that migrates owns it. No other role has
 * privileges in it, except that monitoring reads the outcome of jobs.
 */
const schema = "pgroundwork";

/** SQL for the column of outcomes other than a normal run. Ledgers of earlier versions lack it, or know fewer. */
const outcomeColumn = `
    alter table pgroundwork.migration_ledger
      add column if not exists outcome text, drop constraint if exists migration_ledger_outcome;
    alter table pgroundwork.migration_ledger
      add constraint migration_ledger_outcome check (outcome in ('baseline', 'failed', 'accepted'));
    comment on column pgroundwork.migration_ledger.outcome is
      'baseline: recorded without being run. failed: begun outside a transaction, and found not to have done its work. accepted: the applied file was edited, which its AllowInvalidHash accepts; it did not run again. null: it ran, or runs.';`;

/** SQL of what an import can record of a row. Ledgers of earlier versions know fewer actions. */
const importActions = "check (action in ('inserted', 'updated', 'unchanged', 'kept', 'deleted', 'other'))";

/** SQL of the phases of an import. Ledgers of earlier versions know fewer. */
const importPhases =
  "check (phase in ('staging', 'validated', 'loading', 'loaded', 'verified', 'stopped', 'replaced', 'rolled back'))";

/** SQL of the index of recorded rows. The rows of a run lie together, and a B-tree takes a third of their record. */
const importRowIndex = `create index if not exists import_row_table_idx on pgroundwork.import_row
      using brin (run, number) with (autosummarize = on);`;

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
    ${outcomeColumn}
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
  seed_row: `
    create table if not exists pgroundwork.seed_capture (
      seed_set text not null,
      filename text not null,
      unknown_tables text[] not null,
      primary key (seed_set, filename)
    );
    comment on table pgroundwork.seed_capture is
      'Seed files whose rows stand in seed_row; unknown_tables: where new rows could not be told from changed ones (no primary key).';
    create table if not exists pgroundwork.seed_row (
      seed_set text not null,
      filename text not null,
      relation regclass not null,
      key jsonb,
      content jsonb not null,
      key_digest text generated always as (md5(key::text)) stored,
      foreign key (seed_set, filename) references pgroundwork.seed_capture (seed_set, filename) on delete cascade,
      unique (relation, key_digest)
    );
    create index if not exists seed_row_file_idx on pgroundwork.seed_row (seed_set, filename);
    comment on table pgroundwork.seed_row is
      'Rows that seed files put in, as they were then; key is null in tables without a primary key. What seed clear takes out again.';
    revoke all on pgroundwork.seed_capture, pgroundwork.seed_row from public;`,
  import_run: `
    create table if not exists pgroundwork.import_run (
      number bigint generated always as identity primary key,
      id uuid not null unique,
      phase text not null default 'staging' ${importPhases},
      source_kind text not null check (source_kind in ('sqlite', 'json')),
      source_path text not null,
      source_files jsonb not null,
      source_sha256 text not null,
      source_kept text,
      map json not null,
      map_sha256 text not null,
      started_at timestamptz not null default now(),
      finished_at timestamptz,
      report jsonb,
      applied_by text not null default session_user,
      host text not null,
      kit_version text not null
    );
    comment on table pgroundwork.import_run is 'One row per run of an import.';
    create table if not exists pgroundwork.import_table (
      run bigint not null references pgroundwork.import_run (number) on delete cascade,
      number integer not null,
      source text not null,
      target text not null,
      key text[] not null,
      key_sql text not null,
      columns text[] not null,
      source_rows bigint,
      progress bigint not null default 0,
      entry_sha256 text not null,
      others_known boolean not null default false,
      primary key (run, number)
    );
    comment on table pgroundwork.import_table is
      'The tables of a run. key_sql: SQL of the key as one text. columns: those of the target at that time. progress: rows of the source up to this one are loaded. entry_sha256: digest of the entry in the map. others_known: import_row has the other rows of the target, too.';
    create table if not exists pgroundwork.import_reject (
      run bigint not null references pgroundwork.import_run (number) on delete cascade,
      number integer not null,
      ordinal bigint not null,
      kind text not null check (kind in ('rejected', 'kept')),
      place text,
      key text,
      problems jsonb not null,
      staged jsonb,
      source jsonb,
      fingerprint uuid,
      primary key (run, number, ordinal)
    );
    comment on table pgroundwork.import_reject is
      'Rows of a source that a run did not load. kept: the target had a row with this key, and the policy was to keep it. fingerprint: as in import_row.';
    -- Without a foreign key: checking one for each of millions of rows takes as long as everything else of their record.
    create table if not exists pgroundwork.import_row (
      run bigint not null,
      number integer not null,
      key text not null,
      action text not null ${importActions},
      digest bigint,
      source_digest bigint,
      source_key text,
      before jsonb,
      fingerprint uuid
    );
    ${importRowIndex}
    comment on table pgroundwork.import_row is
      'Rows of the target that a run wrote or found equal; other: rows that did not come from the source. digest: hash of the row after the load. source_digest: hash of the row of the source. source_key: key in the source, if the target has another one. deleted: rows that the source lacked. before: an updated or deleted row as it was. fingerprint: hash of the bytes of the source''s row or document.';
    revoke all on pgroundwork.import_run, pgroundwork.import_table, pgroundwork.import_reject, pgroundwork.import_row
      from public;`,
  job_run: `
    create table if not exists pgroundwork.job_run (
      id bigint generated always as identity primary key,
      job text not null,
      started_at timestamptz not null,
      finished_at timestamptz,
      error text,
      failed boolean not null generated always as (error is not null) stored,
      run_by text not null default session_user,
      host text not null,
      kit_version text not null,
      run_id uuid not null
    );
    create index if not exists job_run_job_idx on pgroundwork.job_run (job, id);
    comment on table pgroundwork.job_run is
      'Runs of jobs by pgw jobs run. finished_at is null while a job runs, and if its end is not known.';
    revoke all on pgroundwork.job_run from public;
    -- Monitoring does not read the errors, which can contain data.
    grant usage on schema pgroundwork to pg_monitor;
    grant select (id, job, started_at, finished_at, failed) on pgroundwork.job_run to pg_monitor;`,
} as const;

/** Conditions that a ledger of this version meets, as SQL, and statements that upgrade one of an earlier version. */
const upgrades: Partial<Record<LedgerTable, { isCurrent: string; statements: string }>> = {
  migration_ledger: {
    isCurrent: `exists (select from pg_constraint k where k.conrelid = 'pgroundwork.migration_ledger'::regclass
      and k.conname = 'migration_ledger_outcome' and strpos(pg_get_constraintdef(k.oid), 'accepted') > 0)`,
    statements: outcomeColumn,
  },
  import_run: {
    isCurrent: `exists (select from pg_attribute
      where attrelid = 'pgroundwork.import_row'::regclass and attname = 'fingerprint')
      and exists (select from pg_constraint where conrelid = 'pgroundwork.import_row'::regclass
        and conname = 'import_row_action_check' and strpos(pg_get_constraintdef(oid), 'deleted') > 0)
      and exists (select from pg_constraint where conrelid = 'pgroundwork.import_run'::regclass
        and conname = 'import_run_phase_check' and strpos(pg_get_constraintdef(oid), 'replaced') > 0)
      and not exists (select from pg_constraint where conrelid = 'pgroundwork.import_row'::regclass
        and contype = 'f')
      and exists (select from pg_class c join pg_am a on a.oid = c.relam and a.amname = 'brin'
        where c.oid = to_regclass('pgroundwork.import_row_table_idx'))`,
    statements: `
      alter table pgroundwork.import_run
        drop constraint if exists import_run_phase_check, add constraint import_run_phase_check ${importPhases};
      drop index if exists pgroundwork.import_row_table_idx;
      ${importRowIndex}
      alter table pgroundwork.import_reject add column if not exists fingerprint uuid;
      alter table pgroundwork.import_row add column if not exists fingerprint uuid,
        drop constraint if exists import_row_run_fkey,
        drop constraint if exists import_row_action_check, add constraint import_row_action_check ${importActions};`,
  },
};

/** Name of a ledger table. */
export type LedgerTable = keyof typeof ledgers;

/**
 * Creates a ledger table if it does not exist, and upgrades one of an earlier version, in one transaction. Call it with
 * the deployment lock. If the table is up to date, no DDL is issued: CREATE … IF NOT EXISTS requires the CREATE
 * privilege even then.
 */
export async function ensureLedger(client: Client, table: LedgerTable): Promise<void> {
  const { rows } = await client.query<{ exists: boolean }>(
    `select c.oid is not null as exists
       from pg_namespace n left join pg_class c on c.relnamespace = n.oid and c.relname = $2
      where n.nspname = $1`,
    [schema, table],
  );
  if (rows[0]?.exists === true) return upgradeLedger(client, table);
  const makeSchema =
    rows[0] === undefined
      ? "create schema if not exists pgroundwork; revoke all on schema pgroundwork from public;"
      : "";
  // Several statements in one simple query are one transaction.
  await client.query(`${makeSchema} ${ledgers[table]}`);
}

async function upgradeLedger(client: Client, table: LedgerTable): Promise<void> {
  const upgrade = upgrades[table];
  if (upgrade === undefined) return;
  const { rows } = await client.query<{ current: boolean }>(`select ${upgrade.isCurrent} as current`);
  if (rows[0]?.current === false) await client.query(upgrade.statements);
}

/** Access of the current role to a table. */
export type TableAccess = "readable" | "absent" | "denied";

/**
 * Returns the access to a table, from the catalog, which every role may read. A query of the table itself would not
 * distinguish a missing table from a missing privilege.
 */
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
