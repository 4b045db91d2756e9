import type { Client } from "pg";
import { convert } from "../convert.ts";
import type { ColumnPlan, ImportPlan, TablePlan } from "../plan.ts";
import type { Source } from "../source/source.ts";
import { DecimalSum, trimmedDecimal } from "../values/decimal.ts";
import { type Hash, hashText, signedHash } from "../values/server-hash.ts";
import { Problem } from "../values/value.ts";
import { type ImportRun, joinKey, keySql, unchangedName } from "./ledger.ts";
import type { Difference } from "./result.ts";
import type { UnchangedRows } from "./unchanged.ts";

/*
 * A checksum of a column is the sum of hash(value, seed = hash(key)) over its rows: it does not depend on their order,
 * and a value in the wrong row changes it. The source's side is computed here from the source's file, the target's side
 * by the server from the target's table. Rows are split into buckets by their key's hash, so that a difference is
 * narrowed to a thousandth of the rows before they are compared one by one.
 */

/** Number of buckets. */
export const buckets = 1024;

/** Checksums of one table on one side. */
export interface TableSums {
  rows: bigint;
  /** Sums of hashes by `bucket * columns + column`. Empty buckets are missing. */
  hashes: Map<number, bigint>;
  /** Sums of numeric columns by name, without zeros at the end. */
  sums: Map<string, string>;
}

/** Returns the columns that are compared. */
export function comparedColumns({ columns }: TablePlan): ColumnPlan[] {
  return columns.filter(({ notCompared }) => notCompared === undefined);
}

/** A row of the source, as it should be in the target. */
export interface ExpectedRow {
  ordinal: number;
  key: string;
  /** Canonical texts of the compared columns. */
  values: (string | null)[];
  /** The row, as the columns of the plan read it. */
  part: unknown;
}

/** Rows of the source that are not compared. */
export interface LeftOutRows {
  /** Ordinals of rows that were not loaded. */
  notLoaded: ReadonlySet<number>;
  /** Rows that are the same as when an earlier run compared them. */
  unchanged?: UnchangedRows | undefined;
}

/** Reads the source again and gives the rows that the target should have: all but those that are left out. */
export async function* expectedRows(
  source: Source,
  plan: TablePlan,
  { notLoaded, unchanged }: LeftOutRows,
  signal?: AbortSignal,
): AsyncIterable<ExpectedRow[]> {
  const columns = comparedColumns(plan);
  const keys = plan.key.map((name) => plan.columns.find(({ target }) => target.name === name) as ColumnPlan);
  let ordinal = 0;
  const leftOut = unchanged?.counter();
  for await (const rows of unchanged?.read(source, plan, { signal }) ?? source.rows(plan.entry, { signal })) {
    const expected: ExpectedRow[] = [];
    for (const { row, ordinal: position } of rows) {
      ordinal += leftOut?.(position) ?? 0;
      const parts = row instanceof Problem ? row : plan.reader.expand(row);
      if (parts instanceof Problem) {
        ordinal++;
        continue;
      }
      for (const part of parts) {
        if (notLoaded.has(++ordinal)) continue;
        const values = columns.map((column) => canonical(column, part));
        expected.push({ ordinal, key: joinKey(keys.map((column) => canonical(column, part))), values, part });
      }
    }
    yield expected;
  }
}

/** Returns the canonical text of a column's value in a row of the source. */
export function canonical(column: ColumnPlan, row: unknown): string | null {
  const text = convert(column, row);
  // A row with a problem was rejected; if it was not, the comparison shows it.
  if (text instanceof Problem) return `(problem: ${text.reason})`;
  if (text !== null && column.codec.expected !== undefined)
    return column.codec.expected(column.read(row) ?? column.whenNull);
  return text === null || column.codec.canonical === undefined ? text : column.codec.canonical(text);
}

const noSeed: Hash = { high: 0, low: 0 };

/** Returns the bucket of a key. */
export function bucketOf(key: string): number {
  const hash: Hash = { high: 0, low: 0 };
  hashText(key, noSeed, hash);
  return hash.low & (buckets - 1);
}

/** Computes the source's side of the checksums. */
export async function sourceSums(
  source: Source,
  plan: TablePlan,
  leftOut: LeftOutRows,
  onProgress: (rows: number) => void,
  signal?: AbortSignal,
): Promise<TableSums> {
  const columns = comparedColumns(plan);
  const width = columns.length;
  const high = new Float64Array(buckets * width);
  const low = new Float64Array(buckets * width);
  const used = new Uint8Array(buckets);
  const sums = new Map(
    columns.filter(({ codec }) => codec.isNumber).map(({ target }) => [target.name, new DecimalSum()]),
  );
  const adders = columns.map(({ target }) => sums.get(target.name));
  const seed: Hash = { high: 0, low: 0 };
  const hash: Hash = { high: 0, low: 0 };
  let rows = 0;
  for await (const expected of expectedRows(source, plan, leftOut, signal)) {
    for (const { key, values } of expected) {
      rows++;
      hashText(key, noSeed, seed);
      const bucket = seed.low & (buckets - 1);
      used[bucket] = 1;
      for (let index = 0; index < width; index++) {
        const value = values[index] ?? null;
        hashText(value === null ? "" : `=${value}`, seed, hash);
        const at = bucket * width + index;
        high[at] = (high[at] as number) + (hash.high | 0);
        low[at] = (low[at] as number) + hash.low;
        if (value !== null) adders[index]?.add(value);
      }
    }
    onProgress(rows);
  }
  const hashes = new Map<number, bigint>();
  for (let bucket = 0; bucket < buckets; bucket++) {
    if (used[bucket] === 0) continue;
    for (let at = bucket * width; at < (bucket + 1) * width; at++)
      hashes.set(at, (BigInt(high[at] as number) << 32n) + BigInt(low[at] as number));
  }
  return { rows: BigInt(rows), hashes, sums: new Map([...sums].map(([name, sum]) => [name, sum.text])) };
}

/** SQL of the rows of a run in a table of the target that are compared: `t` is the row. */
function rowsOfRun(run: ImportRun, plan: TablePlan, { unchanged }: LeftOutRows): string {
  const leftOut =
    unchanged === undefined
      ? ""
      : `and not exists (select from ${unchangedName(run)} u where u.number = ${plan.number} and u.fingerprint = r.fingerprint)`;
  return `${plan.table.rows} t
     join pgroundwork.import_row r on r.run = ${run.number} and r.number = ${plan.number} and r.key = ${keySql(plan, "t")}
          and r.action in ('inserted', 'updated', 'unchanged') ${leftOut}`;
}

/** Computes the target's side of the checksums, in the server. */
export async function targetSums(
  client: Client,
  run: ImportRun,
  plan: TablePlan,
  leftOut: LeftOutRows,
): Promise<TableSums> {
  const columns = comparedColumns(plan);
  const hashed = columns.map(
    ({ codec, target }) =>
      `sum(hashtextextended(coalesce('=' || (${codec.sql(`t.${quoted(target.name)}`)}) collate "C", ''), hashed.k))`,
  );
  const numbers = columns.filter(({ codec }) => codec.isNumber);
  const summed = numbers.map(({ target }) => {
    const number = `t.${quoted(target.name)}::numeric`;
    const finite = `filter (where ${number} not in ('NaN', 'Infinity', '-Infinity'))`;
    return `sum(${number}) ${target.type.base === "numeric" ? finite : ""}`;
  });
  // Arrays, because a result has at most 1,664 columns.
  const { rows } = await client.query<{ bucket: string; n: string; hashes: string[]; sums: (string | null)[] }>(
    `select (hashed.k & ${buckets - 1})::text as bucket, count(*) as n, array[${hashed.join(", ")}]::text[] as hashes,
            array[${summed.join(", ")}]::text[] as sums
       from ${rowsOfRun(run, plan, leftOut)}
      cross join lateral (select hashtextextended((${keySql(plan, "t")}) collate "C", 0) as k offset 0) as hashed
      group by 1`,
  );
  const result: TableSums = { rows: 0n, hashes: new Map(), sums: new Map() };
  const totals = numbers.map(() => new DecimalSum());
  for (const row of rows) {
    result.rows += BigInt(row.n);
    const bucket = Number(row.bucket);
    for (const index of columns.keys())
      result.hashes.set(bucket * columns.length + index, BigInt(row.hashes[index] ?? 0));
    for (const [index, total] of totals.entries()) total.add(row.sums[index] ?? "0");
  }
  for (const [index, { target }] of numbers.entries())
    result.sums.set(target.name, trimmedDecimal(totals[index]?.text ?? "0"));
  return result;
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Names the rows that differ in some buckets, up to a limit. */
export async function findDifferences(
  client: Client,
  source: Source,
  run: ImportRun,
  plan: TablePlan,
  leftOut: LeftOutRows,
  inBuckets: ReadonlySet<number>,
  limit: number,
): Promise<Difference[]> {
  const columns = comparedColumns(plan);
  const values = columns.map(({ codec, target }) => `(${codec.sql(`t.${quoted(target.name)}`)})`).join(", ");
  const key = keySql(plan, "t");
  const { rows } = await client.query<{ key: string; values: (string | null)[] }>(
    `select ${key} as key, array[${values}]::text[] as values from ${rowsOfRun(run, plan, leftOut)}
      where hashtextextended((${key}) collate "C", 0) & ${buckets - 1} = any ($1::bigint[])`,
    [[...inBuckets]],
  );
  const found = new Map(rows.map((row) => [row.key, row.values]));
  const differences: Difference[] = [];
  const table = plan.table.name;
  for await (const expected of expectedRows(source, plan, leftOut)) {
    for (const row of expected) {
      if (!inBuckets.has(bucketOf(row.key))) continue;
      const theirs = found.get(row.key);
      found.delete(row.key);
      if (theirs === undefined) {
        differences.push({ table, key: row.key, source: null, target: null, kind: "missing in the target" });
        continue;
      }
      for (const [index, { target }] of columns.entries()) {
        const [ours, their] = [row.values[index] ?? null, theirs[index] ?? null];
        if (ours !== their)
          differences.push({
            table,
            key: row.key,
            column: target.name,
            source: ours,
            target: their,
            kind: "different",
          });
      }
    }
    if (differences.length >= limit) return differences.slice(0, limit);
  }
  for (const row of found.keys())
    differences.push({ table, key: row, source: null, target: null, kind: "not in the source" });
  return differences.slice(0, limit);
}

/** Returns true if this server hashes as {@link hashText} does: a server of another byte order does not. */
export async function hashesAgree(client: Client): Promise<boolean> {
  const samples = ["", "a", "=12 characters", "Grüße, 世界 🌍 — and more than twenty-four bytes"];
  const { rows } = await client.query<{ plain: string; seeded: string }>(
    `select hashtextextended(s collate "C", 0)::text as plain,
            hashtextextended(s collate "C", hashtextextended('seed' collate "C", 0))::text as seeded
       from unnest($1::text[]) with ordinality as samples (s, n) order by n`,
    [samples],
  );
  const seed: Hash = { high: 0, low: 0 };
  hashText("seed", noSeed, seed);
  return samples.every((sample, index) => {
    const hash: Hash = { high: 0, low: 0 };
    hashText(sample, noSeed, hash);
    const plain = String(signedHash(hash));
    hashText(sample, seed, hash);
    return rows[index]?.plain === plain && rows[index]?.seeded === String(signedHash(hash));
  });
}

/** Reads the rows of the source that were not loaded: rejected ones, and those whose target row was kept. */
export async function readNotLoaded(client: Client, run: ImportRun, plan: TablePlan): Promise<Set<number>> {
  const { rows } = await client.query<{ ordinal: string }>(
    "select ordinal from pgroundwork.import_reject where run = $1 and number = $2",
    [run.number, plan.number],
  );
  return new Set(rows.map(({ ordinal }) => Number(ordinal)));
}

/** Sums up what a map of an import says that is not compared. */
export function notComparedColumns({ tables }: ImportPlan): { table: string; column: string; reason: string }[] {
  return tables.flatMap(({ table, columns }) =>
    columns.flatMap(({ target, notCompared }) =>
      notCompared === undefined ? [] : [{ table: table.name, column: target.name, reason: notCompared }],
    ),
  );
}
