import type { Client } from "pg";
import { tableAccess } from "../ledger/kit-schema.ts";
import type { Provenance } from "../ledger/provenance.ts";
import type { RecordRun } from "./run-recorded.ts";
import { inMarkedTransaction } from "./transaction-mark.ts";

/** Content of a ledger row for a down migration. */
export interface DownSubject {
  /** Name of the migration that is reverted. */
  filename: string;
  hash: string;
  /** SHA-256 of the migration's file as it was applied, in hex, as far as it is known. */
  sha256: string;
  /** SHA-256 of the down migration that runs, in hex. */
  downSha256: string;
  provenance: Provenance;
}

/** SHA-256 of both files of an applied migration, as the ledger recorded them when it was applied. */
export interface AppliedEntry {
  sha256: string;
  downSha256: string | null;
}

/**
 * Returns the last entry of each applied file, by hash. Empty if there is no ledger or if this role may not read it.
 */
export async function readAppliedEntries(client: Client): Promise<Map<string, AppliedEntry>> {
  if ((await tableAccess(client, "pgroundwork", "migration_ledger")) !== "readable") return new Map();
  const { rows } = await client.query<AppliedEntry & { hash: string }>(
    `select distinct on (hash) hash, sha256, down_sha256 as "downSha256"
       from pgroundwork.migration_ledger where direction = 'up'
      order by hash, id desc`,
  );
  return new Map(rows.map(({ hash, ...entry }) => [hash, entry]));
}

const columns = "filename, direction, hash, sha256, down_sha256, host, kit_version, run_id";

function values({ filename, hash, sha256, downSha256, provenance }: DownSubject): string[] {
  return [filename, "down", hash, sha256, downSha256, provenance.host, provenance.kitVersion, provenance.runId];
}

/** Returns the id of the last run of a down migration outside a transaction, if its end is not recorded. */
export async function openDownRun(client: Client, hash: string): Promise<string | undefined> {
  const { rows } = await client.query<{ id: string; open: boolean }>(
    `select id, finished_at is null and direction = 'down' as open from pgroundwork.migration_ledger
      where hash = $1 order by id desc limit 1`,
    [hash],
  );
  return rows[0]?.open === true ? rows[0].id : undefined;
}

/** Inserts a row without an end before a down migration that cannot run in a transaction. Returns the row's id. */
export async function recordDownStarted(client: Client, subject: DownSubject): Promise<string> {
  const { rows } = await client.query<{ id: string }>(
    `insert into pgroundwork.migration_ledger (${columns}, started_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8::uuid, clock_timestamp()) returning id`,
    values(subject),
  );
  const row = rows[0];
  if (row === undefined) throw new Error("insert into pgroundwork.migration_ledger returned no row");
  return row.id;
}

/**
 * Deletes the migration from graphile-migrate's table and completes the row of {@link recordDownStarted}, in one
 * statement.
 */
export async function recordDownFinished(client: Client, { hash }: DownSubject, id: string): Promise<void> {
  await client.query(
    `with untracked as (delete from graphile_migrate.migrations where hash = $2)
     update pgroundwork.migration_ledger
        set finished_at = clock_timestamp(), duration_ms = extract(epoch from clock_timestamp() - started_at) * 1000
      where id = $1`,
    [id, hash],
  );
}

/**
 * Deletes the migration from graphile-migrate's table and writes the ledger's row, in one statement, inside the
 * transaction of the down migration.
 *
 * @returns false if that transaction is over and the record may not be written elsewhere
 */
export async function recordReverted(
  client: Client,
  subject: DownSubject,
  where: Parameters<RecordRun>[0],
): Promise<boolean> {
  const condition = where === "anywhere" ? "true" : inMarkedTransaction;
  const { rowCount } = await client.query(
    `with untracked as (delete from graphile_migrate.migrations where hash = $3 and ${condition})
     insert into pgroundwork.migration_ledger (${columns}, started_at, finished_at, duration_ms)
     select $1, $2, $3, $4, $5, $6, $7, $8::uuid, now(), clock_timestamp(), extract(epoch from clock_timestamp() - now()) * 1000
      where ${condition}`,
    values(subject),
  );
  return rowCount === 1;
}
