import type { Client } from "pg";
import { tableAccess } from "../ledger/kit-schema.ts";
import type { Provenance } from "../ledger/provenance.ts";
import { markMigration } from "../ledger/wal-mark.ts";
import type { CommittedMigration } from "./committed.ts";
import type { RecordRun } from "./run-recorded.ts";
import type { LedgerEntry } from "./status.ts";
import { inMarkedTransaction } from "./transaction-mark.ts";

/**
 * Returns the last entry of each hash, without failed runs, and with the last accepted edit. Empty if there is no
 * ledger or if this role may not read it: then only graphile-migrate's hashes count.
 */
export async function readLedger(client: Client): Promise<LedgerEntry[]> {
  if ((await tableAccess(client, "pgroundwork", "migration_ledger")) !== "readable") return [];
  const { rows } = await client.query<LedgerEntry>(
    `with entry as (
       select id, filename, direction, hash, sha256, started_at, finished_at, duration_ms, applied_by,
              to_jsonb(ledger) ->> 'outcome' as outcome
         from pgroundwork.migration_ledger ledger
     ), accepted as (
       select distinct on (hash) hash, id, sha256 from entry where outcome = 'accepted' order by hash, id desc
     )
     select distinct on (hash) filename, direction, hash, entry.sha256, started_at as "startedAt",
            finished_at as "finishedAt", duration_ms as "durationMs", applied_by as "appliedBy",
            accepted.sha256 as "acceptedSha256"
       from entry left join accepted using (hash)
      where outcome is null or outcome not in ('failed', 'accepted')
      order by hash, entry.id desc`,
  );
  return rows;
}

/** Content of a ledger row for a migration. */
export interface LedgerSubject {
  migration: CommittedMigration;
  downSha256: string | null;
  provenance: Provenance;
}

const columns = "filename, direction, hash, sha256, down_sha256, host, kit_version, run_id";

function values({ migration, downSha256, provenance }: LedgerSubject): (string | null)[] {
  const { filename, hash, sha256 } = migration;
  return [filename, "up", hash, sha256, downSha256, provenance.host, provenance.kitVersion, provenance.runId];
}

/**
 * Records an applied file in graphile-migrate's table and in the ledger, in one statement, inside the migration's
 * transaction. It also marks the position in the WAL.
 *
 * @returns false if that transaction is over and the record may not be written elsewhere
 */
export async function recordApplied(
  client: Client,
  subject: LedgerSubject,
  where: Parameters<RecordRun>[0],
): Promise<boolean> {
  const { hash, previousHash, trackingName } = subject.migration;
  const condition = where === "anywhere" ? "true" : inMarkedTransaction;
  const { rowCount } = await client.query(
    `with tracked as (
       insert into graphile_migrate.migrations (hash, previous_hash, filename) select $9, $10, $11 where ${condition}
     ), marked as (
       select ${markMigration(true, "$1::text")} where ${condition}
     )
     insert into pgroundwork.migration_ledger (${columns}, started_at, finished_at, duration_ms)
     select $1, $2, $3, $4, $5, $6, $7, $8::uuid, now(), clock_timestamp(), extract(epoch from clock_timestamp() - now()) * 1000
       from marked`,
    [...values(subject), hash, previousHash, trackingName],
  );
  return rowCount === 1;
}

/**
 * Records that an applied file was edited and accepts this with `AllowInvalidHash`: its new content, who found it, and
 * when. The row is no run.
 */
export async function recordAcceptedEdit(client: Client, subject: LedgerSubject): Promise<void> {
  await client.query(
    `insert into pgroundwork.migration_ledger (${columns}, started_at, finished_at, outcome)
     select $1, $2, $3, $4, $5, $6, $7, $8::uuid, now(), now(), 'accepted'`,
    values(subject),
  );
}

/** Returns the id of a file's last run outside a transaction, if its end is not recorded. */
export async function openRun(client: Client, hash: string): Promise<string | undefined> {
  const { rows } = await client.query<{ id: string; open: boolean }>(
    `select id, finished_at is null and direction = 'up' as open from pgroundwork.migration_ledger
      where hash = $1 order by id desc limit 1`,
    [hash],
  );
  return rows[0]?.open === true ? rows[0].id : undefined;
}

/**
 * Inserts a row without an end before a file that cannot run in a transaction. Returns the row's id.
 *
 * The insert does not wait for a WAL flush. Whatever the file commits comes later in the WAL. After a crash, no work of
 * the file can exist without this row.
 */
export async function recordStarted(client: Client, subject: LedgerSubject): Promise<string> {
  const { rows } = await client.query<{ id: string }>(
    `insert into pgroundwork.migration_ledger (${columns}, started_at)
     select $1, $2, $3, $4, $5, $6, $7, $8::uuid, clock_timestamp()
       from set_config('synchronous_commit', 'off', true), ${markMigration(false, "$1::text")}
     returning id`,
    values(subject),
  );
  const row = rows[0];
  if (row === undefined) throw new Error("insert into pgroundwork.migration_ledger returned no row");
  return row.id;
}

/**
 * Completes the row of {@link recordStarted} and records the file in graphile-migrate's table, in one statement.
 *
 * @param durationMs duration of the run that completed the file; null if it is not known. The row's start can be that
 * of an earlier run.
 */
export async function recordFinished(
  client: Client,
  id: string,
  migration: CommittedMigration,
  durationMs: number | null,
): Promise<void> {
  await client.query(
    `with tracked as (
       insert into graphile_migrate.migrations (hash, previous_hash, filename) values ($2, $3, $4)
     )
     update pgroundwork.migration_ledger
        set finished_at = clock_timestamp(), duration_ms = $5
      where id = $1`,
    [id, migration.hash, migration.previousHash, migration.trackingName, durationMs],
  );
}
