import type { Client } from "pg";
import { withClient } from "../connection/client.ts";
import { type Connection, describeConnection } from "../connection/connection.ts";
import { requireOwnSession } from "../connection/pooler.ts";
import { detectLostClients } from "../connection/session.ts";
import { exitCode, OperationError } from "../core/operation-error.ts";
import { requireUnchanged } from "../core/unchanged.ts";
import { type LockHolder, withDeploymentLock } from "../ledger/deployment-lock.ts";
import { readRowsAsRecorded } from "./capture.ts";
import { deleteRows } from "./delete-rows.ts";
import { type ForeignRows, findForeignRows } from "./foreign-rows.ts";
import { readSeedLedger } from "./ledger.ts";
import { filesWithoutRecord, hasRowRecord, locateRows, type SeedFileName, unknownTables } from "./recorded-rows.ts";

/** Options of {@link clearSeeds}. */
export interface ClearSeedsOptions {
  connection: Connection;
  /** The sets to clear. */
  sets: readonly string[];
  /** True to delete rows that have changed since, too. */
  force?: boolean;
  /** True to delete nothing. */
  dryRun?: boolean;
  /** The result that was shown. If the result has changed since, nothing is deleted. */
  expected?: ClearedSeeds;
  onWait?: (holder: LockHolder) => void;
  signal?: AbortSignal;
}

/** Result of {@link clearSeeds}. */
export interface ClearedSeeds {
  /** Number of deleted rows by table; the names are qualified and quoted. */
  deleted: { table: string; rows: number }[];
  /** The files that count as not seeded from now on. */
  files: SeedFileName[];
  /**
   * Tables in which new rows could not be told from changed ones when they were seeded. None of their rows were
   * deleted.
   */
  unknownTables: string[];
}

/** Obstacles that keep seeds from being cleared. */
export interface SeedConflicts {
  /** Rows that have changed since they were seeded, by table. */
  changed: { table: string; rows: number }[];
  foreign: ForeignRows[];
}

/**
 * Deletes the rows that the files of some sets inserted, and nothing else, in one transaction. The files then count as
 * not seeded.
 *
 * @throws OperationError (exit code notAllowed) if rows have changed since (unless `force`), if other rows refer to
 * them, or if the result differs from `expected`; OperationError if the rows were not recorded. Nothing is changed
 * then.
 */
export async function clearSeeds(options: ClearSeedsOptions): Promise<ClearedSeeds> {
  const { connection, onWait, signal } = options;
  return withClient(
    connection,
    async (client) => {
      await requireOwnSession(client, connection);
      await detectLostClients(client);
      return withDeploymentLock(client, () => clear(client, options), onWait ?? (() => {}), signal);
    },
    "pgroundwork seed",
  );
}

async function clear(client: Client, options: ClearSeedsOptions): Promise<ClearedSeeds> {
  const { connection, sets, force = false, dryRun = false, expected } = options;
  const requireExpected = (now: ClearedSeeds) => {
    if (expected === undefined) return;
    requireUnchanged(`The seeded data in ${describeConnection(connection)}`, factsOf(expected), factsOf(now));
  };
  const files = await seededFiles(client, connection, sets);
  if (files.length === 0) {
    const nothing = { deleted: [], files: [], unknownTables: [] };
    requireExpected(nothing);
    return nothing;
  }
  await client.query(`begin; ${readRowsAsRecorded}`);
  try {
    const tables = await locateRows(client, files);
    const unknown = await unknownTables(client, files);
    requireNoConflicts({ changed: force ? [] : await changedRows(client), foreign: await findForeignRows(client) });
    const counts = dryRun ? await countRows(client) : await deleteRows(client, files, tables);
    const rows = [...counts].filter(([, count]) => count > 0).sort(([a], [b]) => (a < b ? -1 : 1));
    const deleted = rows.map(([table, count]) => ({ table, rows: count }));
    const cleared = { deleted, files, unknownTables: unknown };
    requireExpected(cleared);
    if (dryRun) await client.query("rollback");
    else {
      await forget(client, files);
      await client.query("commit");
    }
    return cleared;
  } catch (error) {
    await client.query("rollback").catch(() => {});
    throw error;
  }
}

/** Returns the files of the sets that are recorded as seeded, even if a file no longer exists. */
async function seededFiles(client: Client, connection: Connection, sets: readonly string[]): Promise<SeedFileName[]> {
  const ledger = await readSeedLedger(client);
  if (!ledger.known) {
    throw new OperationError(`Cannot read which seeds ${describeConnection(connection)} has: ${ledger.reason}.`, {
      hint: "Connect with the migrator role (<database>_migrator).",
    });
  }
  const files = ledger.records
    .filter(({ set }) => sets.includes(set))
    .map(({ set, filename }): SeedFileName => ({ set, filename }));
  const without =
    files.length === 0 ? [] : (await hasRowRecord(client)) ? await filesWithoutRecord(client, files) : files;
  if (without.length === 0) return files;
  throw new OperationError(
    `The rows of ${without.map(({ set, filename }) => `${set}/${filename}`).join(", ")} are not known: they were not recorded when these seeds ran.`,
    { hint: "Delete the rows by hand. Or erase the database (`pgw destroy --erase NAME`) and run `up`." },
  );
}

function factsOf({ deleted, files }: ClearedSeeds): string[] {
  return [
    ...files.map(({ set, filename }) => `the seed file ${set}/${filename}`),
    ...deleted.map(({ table, rows }) => `${rows} ${rows === 1 ? "row" : "rows"} of ${table}`),
  ];
}

function requireNoConflicts({ changed, foreign }: SeedConflicts): void {
  if (changed.length === 0 && foreign.length === 0) return;
  const rows = (count: number) => `${count} ${count === 1 ? "row" : "rows"}`;
  throw new OperationError(
    [
      "The seeds are not cleared:",
      ...changed.map(({ table, rows: count }) => `- ${rows(count)} of ${table} changed since they were seeded`),
      ...foreign.map(
        ({ table, referenced, constraint, rows: count, onDelete }) =>
          `- ${rows(count)} of ${table} refer to seeded rows of ${referenced} (${constraint}, which ${onDelete}), but do not come from these seeds`,
      ),
    ].join("\n"),
    {
      hint: [
        ...(changed.length > 0 ? ["--force deletes changed rows as well."] : []),
        ...(foreign.length > 0
          ? ["Rows that refer to seeded rows must be removed first: clear their set too, or delete them."]
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
