import type { Client } from "pg";
import { tableAccess } from "../database/kit-schema.ts";
import type { Provenance } from "../database/provenance.ts";
import type { RecordRun } from "./run-recorded.ts";
import { inMarkedTransaction } from "./transaction-mark.ts";

/** Who and what a ledger row about a way back is about. */
export interface DownSubject {
  /** Of the migration that is undone. */
  filename: string;
  hash: string;
  /** Hex, of the migration's file as it was applied, as far as it is known. */
  sha256: string;
  /** Hex, of the way back as it runs. */
  downSha256: string;
  provenance: Provenance;
}

/** What the ledger says of an applied file: both files' sha256 when it was applied. */
export interface AppliedEntry {
  sha256: string;
  downSha256: string | null;
}

/** The last entry of each applied file, by hash. Empty where there is no ledger, or where this role may not read it. */
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

/** The last run of a way back that was begun outside a transaction, where its end is not recorded: its id. */
export async function openDownRun(client: Client, hash: string): Promise<string | undefined> {
  const { rows } = await client.query<{ id: string; open: boolean }>(
    `select id, finished_at is null and direction = 'down' as open from pgroundwork.migration_ledger
      where hash = $1 order by id desc limit 1`,
    [hash],
  );
  return rows[0]?.open === true ? rows[0].id : undefined;
}

/** Before a way back that cannot run in a transaction: a row whose end is open. Answers its id. */
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

/** Takes the migration out of graphile-migrate's table and closes the row that was opened before, in one statement. */
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
 * Takes the migration out of graphile-migrate's table and writes the ledger's row, in one statement, inside the transaction of the way back.
 *
 * @returns false where that is over, and it is not to be recorded anywhere else
 */
export async function recordUndone(
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
