import type { Client } from "pg";
import { databaseOutputFormats } from "../connection/session-settings.ts";
import { type CapturedTable, hasKey, keyOf, writtenTables } from "./captured-table.ts";

/** The file that inserted rows. */
interface Origin {
  set: string;
  filename: string;
}

/** Number of rows that go from one session to the other at once. */
const batch = 1000;

/**
 * SQL condition: the running transaction, or a released subtransaction of it, wrote this version of a row. Rows that
 * others have committed since it began are newer too, but no longer in progress.
 */
const isOwn = `(t.xmin = pg_current_xact_id()::xid
  or age(t.xmin) < 0 and pg_xact_status((pg_current_xact_id()::text::bigint - age(t.xmin))::text::xid8) = 'in progress')`;

/**
 * Statements that make a transaction read rows and their records in one form: with qualified names, and with values as
 * the database itself writes them. Records outlive a version of the kit, and earlier versions wrote them in this form.
 */
export const readRowsAsRecorded = `set local search_path = pg_catalog, pg_temp; ${databaseOutputFormats}`;

/**
 * Keeps a snapshot of the database in a second session, until {@link captureRows} has read the rows from before the
 * file.
 */
export async function openSnapshot(snapshot: Client): Promise<void> {
  await snapshot.query(`begin isolation level repeatable read read only; ${readRowsAsRecorded}; select 1`);
}

/** Releases the snapshot of {@link openSnapshot}. */
export async function closeSnapshot(snapshot: Client): Promise<void> {
  await snapshot.query("rollback");
}

/**
 * Records the rows that a seed file inserted: at the end of its transaction, those that are new. A row that existed
 * before and was changed by the file does not belong to the seeds. If an earlier file inserted it and no one else has
 * changed it since, its record is updated.
 *
 * @param snapshot the session of {@link openSnapshot}
 */
export async function captureRows(client: Client, snapshot: Client, origin: Origin): Promise<void> {
  const tables = await writtenTables(client);
  const unknown = tables.filter(({ key, updated }) => key.length === 0 && updated).map(({ rootName }) => rootName);
  await client.query(
    `insert into pgroundwork.seed_capture (seed_set, filename, unknown_tables) values ($1, $2, $3)
     on conflict (seed_set, filename) do update set unknown_tables = excluded.unknown_tables`,
    [origin.set, origin.filename, [...new Set(unknown)]],
  );
  for (const table of tables) {
    if (!table.updated) await captureInserted(client, table, origin);
    else if (table.key.length > 0) await captureWritten(client, snapshot, table, origin);
  }
}

async function captureInserted(client: Client, table: CapturedTable, { set, filename }: Origin): Promise<void> {
  await client.query(
    `insert into pgroundwork.seed_row (seed_set, filename, relation, key, content)
     select $1, $2, $3::oid, ${keyOf("t", table)}, to_jsonb(t) from only ${table.leafName} t where ${isOwn}
     on conflict (relation, key_digest) do update
       set seed_set = excluded.seed_set, filename = excluded.filename, content = excluded.content`,
    [set, filename, table.root],
  );
}

async function captureWritten(client: Client, snapshot: Client, table: CapturedTable, origin: Origin): Promise<void> {
  await client.query(
    `declare written no scroll cursor for
     select ${keyOf("t", table)}::text as key, to_jsonb(t)::text as content from only ${table.leafName} t where ${isOwn}`,
  );
  for (;;) {
    const { rows } = await client.query<{ key: string; content: string }>(`fetch ${batch} from written`);
    if (rows.length === 0) break;
    const before = await contentBefore(snapshot, table, rows);
    await record(client, table, origin, rows, before);
  }
  await client.query("close written");
}

/** Returns the content of the rows before the file ran; null for a row that did not exist. */
async function contentBefore(snapshot: Client, table: CapturedTable, rows: readonly { key: string }[]) {
  const { rows: found } = await snapshot.query<{ content: string | null }>(
    `select to_jsonb(t)::text as content
       from unnest($1::jsonb[]) with ordinality k (key, position)
       left join ${table.rootName} t on ${hasKey("t", table, "k.key")}
      order by k.position`,
    [rows.map(({ key }) => key)],
  );
  return found.map(({ content }) => content);
}

async function record(
  client: Client,
  table: CapturedTable,
  { set, filename }: Origin,
  rows: readonly { key: string; content: string }[],
  before: readonly (string | null)[],
): Promise<void> {
  await client.query(
    `with written as (
       select * from unnest($4::jsonb[], $5::jsonb[], $6::jsonb[]) as w (key, content, before)
     ), refreshed as (
       update pgroundwork.seed_row s set content = w.content
         from written w
        where s.relation = $3::oid and s.key_digest = md5(w.key::text) and s.content = w.before
     )
     insert into pgroundwork.seed_row (seed_set, filename, relation, key, content)
     select $1, $2, $3::oid, key, content from written where before is null
     on conflict (relation, key_digest) do update
       set seed_set = excluded.seed_set, filename = excluded.filename, content = excluded.content`,
    [set, filename, table.root, rows.map(({ key }) => key), rows.map(({ content }) => content), before],
  );
}
