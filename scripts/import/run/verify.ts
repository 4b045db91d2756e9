import type { Client } from "pg";
import type { ImportPlan, TablePlan } from "../plan.ts";
import type { Source } from "../source/source.ts";
import { identifier } from "../target/target-table.ts";
import {
  findDifferences,
  hashesAgree,
  notComparedColumns,
  readNotLoaded,
  targetSums,
  writtenSums,
} from "./checksums.ts";
import { type ImportRun, shownKey } from "./ledger.ts";
import { isKeyMasked, isMasked, maskedText } from "./mask.ts";
import type { Difference, TableReport, VerifyResult } from "./result.ts";
import { buckets, comparedColumns, type LeftOutRows, sourceSums, type TableSums } from "./source-sums.ts";
import type { StagedTable } from "./stage.ts";
import { countUnchanged, readUnchanged } from "./unchanged.ts";
import { knowsWritten } from "./written.ts";

/** Rows that are named at most. */
const mostDifferences = 20;
/** Buckets that are compared row by row at most, so that memory stays bounded. */
const mostBuckets = 16;

/** Counts of one table of a run. */
export type Counts = Pick<TableReport, "sourceRows" | "inserted" | "updated" | "unchanged" | "kept" | "rejected">;

/** Reads the counts of a table from the ledger. */
export async function readCounts(client: Client, run: ImportRun, number: number): Promise<Counts> {
  const { rows } = await client.query<Record<keyof Counts, string>>(
    `select coalesce((select source_rows from pgroundwork.import_table where run = $1 and number = $2), 0) as "sourceRows",
            w.*, r.*
       from (select count(*) filter (where action = 'inserted') as inserted,
                    count(*) filter (where action = 'updated') as updated,
                    count(*) filter (where action = 'unchanged') as unchanged
               from pgroundwork.import_row where run = $1 and number = $2) w,
            (select count(*) filter (where kind = 'kept') as kept, count(*) filter (where kind = 'rejected') as rejected
               from pgroundwork.import_reject where run = $1 and number = $2) r`,
    [run.number, number],
  );
  return Object.fromEntries(
    Object.entries(rows[0] ?? {}).map(([name, value]) => [name, Number(value)]),
  ) as unknown as Counts;
}

/** Options of {@link verifyRun}. */
export interface VerifyOptions {
  onProgress: (table: TablePlan, rows: number) => void;
  signal?: AbortSignal | undefined;
  /** Tables that this process staged, by their number: their rows need not be read again. */
  staged?: ReadonlyMap<number, StagedTable>;
  /** Sums of the rows as the run wrote them, by the number of the table, if they are computed already. */
  written?: ReadonlyMap<number, TableSums>;
}

/**
 * Compares the source with the target: counts, checksums by column, sums, foreign keys. While a run leaves unchanged
 * rows out, they are only counted. Changes nothing.
 */
export async function verifyRun(
  client: Client,
  source: Source,
  run: ImportRun,
  plan: ImportPlan,
  { onProgress, signal, staged, written }: VerifyOptions,
): Promise<{ result: VerifyResult; tables: Map<number, Partial<TableReport> & Counts> }> {
  const failures: string[] = [];
  const differences: Difference[] = [];
  const tables = new Map<number, Partial<TableReport> & Counts>();
  if (!(await hashesAgree(client)))
    failures.push("this server computes hashes differently, so the checksums cannot be compared");
  for (const table of plan.tables) {
    const counts = await readCounts(client, run, table.number);
    const accounted = counts.inserted + counts.updated + counts.unchanged + counts.kept + counts.rejected;
    if (accounted !== counts.sourceRows)
      failures.push(
        `${table.table.name}: the source has ${counts.sourceRows} rows, and ${accounted} are accounted for`,
      );
    const unchanged = await readUnchanged(client, run, plan, table);
    const leftOut = { notLoaded: await readNotLoaded(client, run, table), unchanged };
    const ours =
      sumsOfStaged(staged?.get(table.number), leftOut) ??
      (await sourceSums(source, table, leftOut, (rows) => onProgress(table, rows), signal));
    onProgress(table, Number(ours.rows));
    const asWritten =
      counts.unchanged === 0 && (await knowsWritten(client, run))
        ? (written?.get(table.number) ?? (await writtenSums(client, run, table)))
        : undefined;
    const { theirs, compared } = await compareTarget(client, run, table, leftOut, ours, asWritten);
    const { columns, sums, wrongBuckets } = compared;
    const leftOutRows = await countUnchanged(client, run, table);
    tables.set(table.number, { ...counts, columns, sums, ...(leftOutRows === 0 ? {} : { leftOut: leftOutRows }) });
    if (ours.rows !== theirs.rows)
      failures.push(`${table.table.name}: ${ours.rows} rows are expected, and the target has ${theirs.rows}`);
    for (const { name, equal } of columns)
      if (!equal) failures.push(`${table.table.name}.${name}: the checksums differ`);
    for (const { name, equal, source: own, target } of sums)
      if (!equal)
        failures.push(`${table.table.name}.${name}: the sum is ${own} in the source and ${target} in the target`);
    if (wrongBuckets.size > 0 && differences.length < mostDifferences) {
      const first = new Set([...wrongBuckets].slice(0, mostBuckets));
      const most = mostDifferences - differences.length;
      const found = await findDifferences(client, source, run, table, leftOut, first, most);
      differences.push(...found.map((each) => shownDifference(each, table, plan.map.mask)));
    }
    failures.push(...(await findOrphans(client, table)));
  }
  const changed = await source.changedSince();
  if (changed !== undefined) failures.push(`the source is no longer what was imported: ${changed}`);
  return {
    result: { verified: failures.length === 0, failures, differences, notCompared: notComparedColumns(plan) },
    tables,
  };
}

/**
 * Returns the checksums of the rows as they were read for the stage, if these are the rows that were loaded: none was
 * left out, and none was rejected or kept aside after it was read.
 */
function sumsOfStaged(staged: StagedTable | undefined, { notLoaded, unchanged }: LeftOutRows): TableSums | undefined {
  if (staged === undefined || unchanged !== undefined || notLoaded.size !== staged.rejected) return undefined;
  return staged.sums?.result;
}

/** Returns a difference as a report shows it: with a key for people, and without values of masked fields. */
function shownDifference(found: Difference, plan: TablePlan, mask: readonly string[] = []): Difference {
  const column = plan.columns.find(({ target }) => target.name === found.column);
  const show = (value: string | null) =>
    value !== null && column !== undefined && isMasked(column.field, mask) ? maskedText : value;
  const key = isKeyMasked(plan, mask) ? maskedText : shownKey(found.key);
  return { ...found, key, source: show(found.source), target: show(found.target) };
}

/**
 * Compares the target's side. First only the rows that are still as the run wrote them, if the run wrote all of them:
 * that is fast. If they do not agree with the source, all rows of the run's record are compared.
 */
async function compareTarget(
  client: Client,
  run: ImportRun,
  table: TablePlan,
  leftOut: LeftOutRows,
  ours: TableSums,
  asWritten: TableSums | undefined,
): Promise<{ theirs: TableSums; compared: Compared }> {
  if (asWritten !== undefined) {
    const compared = compareSums(table, ours, asWritten);
    if (asWritten.rows === ours.rows && isEqual(compared)) return { theirs: asWritten, compared };
  }
  const theirs = await targetSums(client, run, table, leftOut);
  return { theirs, compared: compareSums(table, ours, theirs) };
}

interface Compared {
  columns: NonNullable<TableReport["columns"]>;
  sums: NonNullable<TableReport["sums"]>;
  wrongBuckets: Set<number>;
}

function compareSums(table: TablePlan, ours: TableSums, theirs: TableSums): Compared {
  const compared = comparedColumns(table);
  const width = compared.length;
  const wrongBuckets = new Set<number>();
  const columns = compared.map(({ target }, index) => {
    let [source, sum, equal] = [0n, 0n, true];
    for (let bucket = 0; bucket < buckets; bucket++) {
      const at = bucket * width + index;
      const [own, their] = [ours.hashes.get(at), theirs.hashes.get(at)];
      source += own ?? 0n;
      sum += their ?? 0n;
      if (own === their) continue;
      equal = false;
      wrongBuckets.add(bucket);
    }
    return { name: target.name, source: checksum(source), target: checksum(sum), equal };
  });
  const sums = [...ours.sums].map(([name, source]) => {
    const target = theirs.sums.get(name) ?? "0";
    return { name, source, target, equal: source === target };
  });
  return { columns, sums, wrongBuckets };
}

function isEqual({ columns, sums }: Compared): boolean {
  return columns.every(({ equal }) => equal) && sums.every(({ equal }) => equal);
}

function checksum(sum: bigint): string {
  return BigInt.asUintN(64, sum).toString(16).padStart(16, "0");
}

/**
 * Looks for rows whose foreign key has no parent: a key that is NOT VALID, or whose triggers were disabled, allows
 * them.
 */
async function findOrphans(client: Client, { table }: TablePlan): Promise<string[]> {
  const failures: string[] = [];
  for (const { name, columns, parent, parentColumns } of table.foreignKeys) {
    const filled = columns.map((column) => `c.${identifier(column)} is not null`).join(" and ");
    const match = columns
      .map((column, index) => `p.${identifier(parentColumns[index] ?? "")} = c.${identifier(column)}`)
      .join(" and ");
    const { rows } = await client.query<{ n: string }>(
      `select count(*) as n from ${table.rows} c where ${filled} and not exists (select from ${parent} p where ${match})`,
    );
    if (rows[0]?.n !== "0") failures.push(`${table.name}: ${rows[0]?.n} rows have no parent in ${parent} (${name})`);
  }
  return failures;
}
