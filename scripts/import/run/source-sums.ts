import { convert } from "../convert.ts";
import type { ColumnPlan, TablePlan } from "../plan.ts";
import type { Source } from "../source/source.ts";
import { DecimalSum } from "../values/decimal.ts";
import { type Hash, hashText } from "../values/server-hash.ts";
import { Problem } from "../values/value.ts";
import { joinKey } from "./ledger.ts";
import type { UnchangedRows } from "./unchanged.ts";

/*
 * A checksum of a column is the sum of hash(value, seed = hash(key)) over its rows: it does not depend on their order,
 * and a value in the wrong row changes it. The source's side is computed here from the source's values, while they are
 * read for the stage or again, and the target's side by the server from the target's table. Rows are split into buckets
 * by their key's hash, so that a difference is narrowed to a thousandth of the rows before these are compared.
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

function keyColumns({ key, columns }: TablePlan): ColumnPlan[] {
  return key.map((name) => columns.find(({ target }) => target.name === name) as ColumnPlan);
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
  const keys = keyColumns(plan);
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
  return canonicalOf(column, convert(column, row), row);
}

/** Returns the canonical text of a value that was converted to the text that COPY reads. */
function canonicalOf(column: ColumnPlan, text: string | null | Problem, row: unknown): string | null {
  // A row with a problem was rejected; if it was not, the comparison shows it.
  if (text instanceof Problem) return `(problem: ${text.reason})`;
  if (text !== null && column.codec.expected !== undefined)
    return column.codec.expected(column.read(row) ?? column.whenNull);
  return text === null || column.codec.canonical === undefined ? text : column.codec.canonical(text);
}

/** Seed of the hash of a key. */
export const noSeed: Hash = { high: 0, low: 0 };

/** Returns the bucket of a key. */
export function bucketOf(key: string): number {
  const hash: Hash = { high: 0, low: 0 };
  hashText(key, noSeed, hash);
  return hash.low & (buckets - 1);
}

/** The source's side of the checksums of one table, as its rows are read. */
export class SourceSums {
  readonly #columns: ColumnPlan[];
  /** Positions of the compared columns, and of those of the key, among all columns of the plan. */
  readonly #positions: number[];
  readonly #keyColumns: { column: ColumnPlan; position: number }[];
  readonly #high: Float64Array;
  readonly #low: Float64Array;
  readonly #used = new Uint8Array(buckets);
  readonly #sums: (DecimalSum | undefined)[];
  readonly #seed: Hash = { high: 0, low: 0 };
  readonly #hash: Hash = { high: 0, low: 0 };
  #rows = 0;

  constructor(plan: TablePlan) {
    this.#columns = comparedColumns(plan);
    this.#positions = this.#columns.map((column) => plan.columns.indexOf(column));
    this.#keyColumns = keyColumns(plan).map((column) => ({ column, position: plan.columns.indexOf(column) }));
    this.#high = new Float64Array(buckets * this.#columns.length);
    this.#low = new Float64Array(buckets * this.#columns.length);
    this.#sums = this.#columns.map(({ codec }) => (codec.isNumber ? new DecimalSum() : undefined));
  }

  /** Number of rows that were added. */
  get rows(): number {
    return this.#rows;
  }

  /** Adds a row by the canonical texts of its key and its compared columns. */
  add(key: string, values: readonly (string | null)[]): void {
    const bucket = this.#begin(key);
    for (let index = 0; index < this.#columns.length; index++) this.#addValue(bucket, index, values[index] ?? null);
  }

  /**
   * Adds a row whose columns were converted to the texts that COPY reads.
   *
   * @param cells the texts, by the columns of the plan
   */
  addConverted(cells: readonly (string | null | Problem)[], row: unknown): void {
    const [first] = this.#keyColumns;
    const textAt = (column: ColumnPlan, position: number) => canonicalOf(column, cells[position] ?? null, row);
    const bucket = this.#begin(
      this.#keyColumns.length === 1 && first !== undefined
        ? (textAt(first.column, first.position) ?? "")
        : joinKey(this.#keyColumns.map(({ column, position }) => textAt(column, position))),
    );
    for (let index = 0; index < this.#columns.length; index++)
      this.#addValue(bucket, index, textAt(this.#columns[index] as ColumnPlan, this.#positions[index] as number));
  }

  #begin(key: string): number {
    this.#rows++;
    hashText(key, noSeed, this.#seed);
    const bucket = this.#seed.low & (buckets - 1);
    this.#used[bucket] = 1;
    return bucket;
  }

  #addValue(bucket: number, index: number, value: string | null): void {
    const at = bucket * this.#columns.length + index;
    const hash = this.#hash;
    if (value === null) {
      // No value has a hash of its own, which is not the one of an empty text.
      hash.high = ~this.#seed.high >>> 0;
      hash.low = ~this.#seed.low >>> 0;
    } else {
      hashText(value, this.#seed, hash);
      this.#sums[index]?.add(value);
    }
    this.#high[at] = (this.#high[at] as number) + (hash.high | 0);
    this.#low[at] = (this.#low[at] as number) + hash.low;
  }

  /** The checksums of the rows so far. */
  get result(): TableSums {
    const width = this.#columns.length;
    const hashes = new Map<number, bigint>();
    for (let bucket = 0; bucket < buckets; bucket++) {
      if (this.#used[bucket] === 0) continue;
      for (let at = bucket * width; at < (bucket + 1) * width; at++)
        hashes.set(at, (BigInt(this.#high[at] as number) << 32n) + BigInt(this.#low[at] as number));
    }
    const sums = this.#columns.flatMap(({ target }, index): [string, string][] => {
      const sum = this.#sums[index];
      return sum === undefined ? [] : [[target.name, sum.text]];
    });
    return { rows: BigInt(this.#rows), hashes, sums: new Map(sums) };
  }
}

/** Computes the source's side of the checksums by reading the source again. */
export async function sourceSums(
  source: Source,
  plan: TablePlan,
  leftOut: LeftOutRows,
  onProgress: (rows: number) => void,
  signal?: AbortSignal,
): Promise<TableSums> {
  const sums = new SourceSums(plan);
  for await (const expected of expectedRows(source, plan, leftOut, signal)) {
    for (const { key, values } of expected) sums.add(key, values);
    onProgress(sums.rows);
  }
  return sums.result;
}
