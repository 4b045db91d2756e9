import type { Client } from "pg";
import { tableAccess } from "../database/kit-schema.ts";
import type { Provenance } from "../database/provenance.ts";
import type { CommittedMigration } from "./committed.ts";
import type { RecordRun } from "./run-recorded.ts";
import type { LedgerEntry } from "./status.ts";
import { inMarkedTransaction } from "./transaction-mark.ts";

/**
 * The last entry of each hash, runs that failed left out. Empty where there is no ledger, or where this role may not read it: then graphile-migrate's hashes
 * alone count.
 */
export async function readLedger(client: Client): Promise<LedgerEntry[]> {
  if ((await tableAccess(client, "pgroundwork", "migration_ledger")) !== "readable") return [];
  const { rows } = await client.query<LedgerEntry>(
    `select distinct on (hash) filename, direction, hash, sha256, started_at as "startedAt", finished_at as "finishedAt",
            duration_ms as "durationMs", applied_by as "appliedBy"
       from pgroundwork.migration_ledger entry
      where to_jsonb(entry) ->> 'outcome' is distinct from 'failed'
      order by hash, id desc`,
  );
  return rows;
}

/** Who and what a ledger row is about. */
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
 * Records an applied file in graphile-migrate's table and in the ledger, in one statement, inside the migration's transaction.
 *
 * @returns false where that is over, and it is not to be recorded anywhere else
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
     )
     insert into pgroundwork.migration_ledger (${columns}, started_at, finished_at, duration_ms)
     select $1, $2, $3, $4, $5, $6, $7, $8::uuid, now(), clock_timestamp(), extract(epoch from clock_timestamp() - now()) * 1000
      where ${condition}`,
    [...values(subject), hash, previousHash, trackingName],
  );
  return rowCount === 1;
}

/** The last run of a file that was begun outside a transaction, where its end is not recorded: its id. */
export async function openRun(client: Client, hash: string): Promise<string | undefined> {
  const { rows } = await client.query<{ id: string; open: boolean }>(
    `select id, finished_at is null and direction = 'up' as open from pgroundwork.migration_ledger
      where hash = $1 order by id desc limit 1`,
    [hash],
  );
  return rows[0]?.open === true ? rows[0].id : undefined;
}

/**
 * Before a file that cannot run in a transaction: a row whose end is open. Answers its id.
 *
 * It waits for no disk of its own: whatever the file commits comes later in the WAL, so that after a crash nothing of the file is there without this row.
 */
export async function recordStarted(client: Client, subject: LedgerSubject): Promise<string> {
  const { rows } = await client.query<{ id: string }>(
    `insert into pgroundwork.migration_ledger (${columns}, started_at)
     select $1, $2, $3, $4, $5, $6, $7, $8::uuid, clock_timestamp() from set_config('synchronous_commit', 'off', true)
     returning id`,
    values(subject),
  );
  const row = rows[0];
  if (row === undefined) throw new Error("insert into pgroundwork.migration_ledger returned no row");
  return row.id;
}

/** After it: closes the row and records the file in graphile-migrate's table, in one statement. */
export async function recordFinished(client: Client, id: string, migration: CommittedMigration): Promise<void> {
  await client.query(
    `with tracked as (
       insert into graphile_migrate.migrations (hash, previous_hash, filename) values ($2, $3, $4)
     )
     update pgroundwork.migration_ledger
        set finished_at = clock_timestamp(), duration_ms = extract(epoch from clock_timestamp() - started_at) * 1000
      where id = $1`,
    [id, migration.hash, migration.previousHash, migration.trackingName],
  );
}
