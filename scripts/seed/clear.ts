import type { Client } from "pg";
import { type LockHolder, withDeploymentLock } from "../database/deployment-lock.ts";
import { noticeLostClients } from "../database/session.ts";
import { exitCode, OperationError } from "../errors/operation-error.ts";
import { withClient } from "../target/client.ts";
import { type Connection, describeConnection } from "../target/connection.ts";
import { deleteRows } from "./delete-rows.ts";
import { type ForeignRows, findForeignRows } from "./foreign-rows.ts";
import { readSeedLedger } from "./ledger.ts";
import { filesWithoutRecord, hasRowRecord, locateRows, type SeedFileName, unknownTables } from "./recorded-rows.ts";

export interface ClearSeedsOptions {
  connection: Connection;
  /** Just these sets. */
  sets: readonly string[];
  /** Whether rows that were changed since go as well. */
  force?: boolean;
  /** Whether nothing is deleted. */
  dryRun?: boolean;
  onWait?: (holder: LockHolder) => void;
  signal?: AbortSignal;
}

export interface ClearedSeeds {
  /** Rows by table, qualified and quoted; those that are deleted. */
  deleted: { table: string; rows: number }[];
  /** The files that count as not seeded from now on. */
  files: SeedFileName[];
  /** Tables whose new rows could not be told from changed ones when they were seeded: none of these was deleted. */
  unknownTables: string[];
}

/** What keeps seeds from being cleared. */
export interface SeedObstacles {
  /** Rows that were changed since, by table. */
  changed: { table: string; rows: number }[];
  foreign: ForeignRows[];
}

/**
 * Takes out again the rows that the files of some sets put in, and nothing else, in one transaction; the files count as not seeded then.
 *
 * @throws OperationError (not allowed) with nothing changed where rows were changed since (unless `force`), where rows of others refer to them, or where it was
 * not written down which they are
 */
export async function clearSeeds(options: ClearSeedsOptions): Promise<ClearedSeeds> {
  const { connection, onWait, signal } = options;
  return withClient(
    connection,
    async (client) => {
      await noticeLostClients(client);
      return withDeploymentLock(client, () => clear(client, options), onWait ?? (() => {}), signal);
    },
    "pgroundwork seed",
  );
}

async function clear(client: Client, { connection, sets, force = false, dryRun = false }: ClearSeedsOptions) {
  const files = await seededFiles(client, connection, sets);
  if (files.length === 0) return { deleted: [], files: [], unknownTables: [] };
  await client.query("begin; set local search_path = pg_catalog, pg_temp");
  try {
    const tables = await locateRows(client, files);
    const unknown = await unknownTables(client, files);
    requireNoObstacles({ changed: force ? [] : await changedRows(client), foreign: await findForeignRows(client) });
    const deleted = dryRun ? await countRows(client) : await deleteRows(client, files, tables);
    if (dryRun) await client.query("rollback");
    else {
      await forget(client, files);
      await client.query("commit");
    }
    const rows = [...deleted].filter(([, count]) => count > 0).sort(([a], [b]) => (a < b ? -1 : 1));
    return { deleted: rows.map(([table, count]) => ({ table, rows: count })), files, unknownTables: unknown };
  } catch (error) {
    await client.query("rollback").catch(() => {});
    throw error;
  }
}

/** The files of the sets that are recorded as seeded, whether they are still there or not. */
async function seededFiles(client: Client, connection: Connection, sets: readonly string[]): Promise<SeedFileName[]> {
  const ledger = await readSeedLedger(client);
  if (!ledger.known) {
    throw new OperationError(`Could not tell which seeds ${describeConnection(connection)} has: ${ledger.reason}.`, {
      remedy: "Ask as the role that migrates (<database>_migrator).",
    });
  }
  const files = ledger.records
    .filter(({ set }) => sets.includes(set))
    .map(({ set, filename }): SeedFileName => ({ set, filename }));
  const without =
    files.length === 0 ? [] : (await hasRowRecord(client)) ? await filesWithoutRecord(client, files) : files;
  if (without.length === 0) return files;
  throw new OperationError(
    `Could not tell which rows were put in by ${without.map(({ set, filename }) => `${set}/${filename}`).join(", ")}: nothing was written down when they ran.`,
    { remedy: "Delete the rows by hand, or erase the database (`pgw destroy --erase NAME`) and bring it up anew." },
  );
}

function requireNoObstacles({ changed, foreign }: SeedObstacles): void {
  if (changed.length === 0 && foreign.length === 0) return;
  const rows = (count: number) => `${count} ${count === 1 ? "row" : "rows"}`;
  throw new OperationError(
    [
      "The seeds are not cleared:",
      ...changed.map(({ table, rows: count }) => `- ${rows(count)} of ${table} changed since they were seeded`),
      ...foreign.map(
        ({ table, referenced, constraint, rows: count, onDelete }) =>
          `- ${rows(count)} of ${table} refer to seeded rows of ${referenced} (${constraint}, which ${onDelete}) and were not put in by these seeds`,
      ),
    ].join("\n"),
    {
      remedy: [
        ...(changed.length > 0 ? ["--force deletes changed rows as well."] : []),
        ...(foreign.length > 0
          ? ["Rows that refer to seeded ones must go first: clear their set too, or delete them."]
          : []),
      ].join(" "),
      exitCode: exitCode.notAllowed,
    },
  );
}

async function changedRows(client: Client): Promise<{ table: string; rows: number }[]> {
  const { rows } = await client.query<{ table: string; rows: number }>(
    `select relation::regclass::text as "table", count(*)::int as rows from pg_temp.seeded where changed group by relation order by 1`,
  );
  return rows;
}

async function countRows(client: Client): Promise<Map<string, number>> {
  const { rows } = await client.query<{ table: string; rows: number }>(
    `select relation::regclass::text as "table", count(*)::int as rows from pg_temp.seeded group by relation`,
  );
  return new Map(rows.map(({ table, rows: count }) => [table, count]));
}

async function forget(client: Client, files: readonly SeedFileName[]): Promise<void> {
  const names = [files.map(({ set }) => set), files.map(({ filename }) => filename)];
  for (const table of ["seed_capture", "seed_ledger"]) {
    await client.query(
      `delete from pgroundwork.${table} using unnest($1::text[], $2::text[]) as asked (seed_set, filename)
        where ${table}.seed_set = asked.seed_set and ${table}.filename = asked.filename`,
      names,
    );
  }
}
