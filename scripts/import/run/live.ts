import type { Client } from "pg";
import type { ImportPlan, TablePlan } from "../plan.ts";
import type { Source } from "../source/source.ts";
import { sourceDigest } from "../source-row.ts";
import { identifier } from "../target/target-table.ts";
import { type Hash, hashText, signedHash } from "../values/server-hash.ts";
import { hashesAgree } from "./checksums.ts";
import { baseline, digestSql, type ImportRun, keySql, shownKey } from "./ledger.ts";
import { bucketOf, buckets, comparedColumns, type ExpectedRow, expectedRows } from "./source-sums.ts";

/** Change of a row since the last import. `different`: source and target differ, and no import wrote the row. */
export type LiveChangeKind =
  | "changed in the source"
  | "changed in the target"
  | "changed on both sides"
  | "different"
  | "new in the source"
  | "new in the target"
  | "deleted in the source"
  | "deleted in the target"
  | "not importable";

/** A row that differs between source and target. */
export interface LiveChange {
  table: string;
  key: string;
  kind: LiveChangeKind;
  /** Values that differ. Empty if the row is missing on one side. */
  columns: { name: string; source: string | null; target: string | null }[];
}

/** Comparison of one table. */
export interface LiveTable {
  source: string;
  target: string;
  sourceRows: number;
  targetRows: number;
  /** Number of rows by the kind of their change. */
  changes: Partial<Record<LiveChangeKind, number>>;
  /** Rows of the source that the import rejected. They are not compared. */
  rejected: number;
  /** Rows of the target that were there before or beside the import; undefined if there were too many to record. */
  others: number | undefined;
}

/** Result of {@link compareLive}. */
export interface LiveResult {
  equal: boolean;
  tables: LiveTable[];
  /** The first changed rows of each table. */
  changes: LiveChange[];
  /** Sentences about what could not be compared. */
  failures: string[];
}

/** Changed rows that are named for each table. */
const namedChanges = 20;
/** Rows whose hashes are held in memory at most, roughly. */
const mostRowsInMemory = 200_000;
const noSeed: Hash = { high: 0, low: 0 };

/**
 * Compares a source as it is now with the target as it is now, row by row, and tells on which side a row changed since
 * the last import. Changes nothing.
 */
export async function compareLive(
  client: Client,
  source: Source,
  run: ImportRun,
  plan: ImportPlan,
  onProgress: (table: TablePlan, rows: number) => void,
  signal?: AbortSignal,
): Promise<LiveResult> {
  const result: LiveResult = { equal: false, tables: [], changes: [], failures: [] };
  if (!(await hashesAgree(client)))
    result.failures.push("this server computes hashes differently, so rows cannot be compared");
  for (const table of plan.tables) {
    const comparison = new TableComparison(client, source, run, table, onProgress, signal);
    const { counts, changes } = await comparison.run();
    result.tables.push(counts);
    result.changes.push(...changes);
    if (counts.others === undefined)
      result.failures.push(
        `${table.table.name}: it had too many rows that no import wrote, so new rows in the target are not told`,
      );
  }
  const changed = await source.changedSince();
  if (changed !== undefined) result.failures.push(`the source changed during the comparison: ${changed}`);
  result.equal = result.failures.length === 0 && result.changes.length === 0;
  return result;
}

interface TargetRow {
  /** Hash of the compared values; null if the target has no such row. */
  hash: string | null;
  isKnown: boolean;
  /** An import of this source had the row. */
  isOfSource: boolean;
  targetChanged: boolean;
  sourceDigest: string | null;
}

/** Compares one table, a part of its keys at a time. */
class TableComparison {
  readonly #client: Client;
  readonly #source: Source;
  readonly #run: ImportRun;
  readonly #plan: TablePlan;
  readonly #onProgress: (table: TablePlan, rows: number) => void;
  readonly #signal: AbortSignal | undefined;
  readonly #changes: LiveChange[] = [];
  readonly #counts: LiveTable;
  /** Keys of rows that the import rejected. */
  readonly #rejected = new Set<string>();
  #othersKnown = false;

  constructor(
    client: Client,
    source: Source,
    run: ImportRun,
    plan: TablePlan,
    onProgress: (table: TablePlan, rows: number) => void,
    signal: AbortSignal | undefined,
  ) {
    this.#client = client;
    this.#source = source;
    this.#run = run;
    this.#plan = plan;
    this.#onProgress = onProgress;
    this.#signal = signal;
    this.#counts = {
      source: plan.entry.from,
      target: plan.table.name,
      sourceRows: 0,
      targetRows: 0,
      changes: {},
      rejected: 0,
      others: undefined,
    };
  }

  async run(): Promise<{ counts: LiveTable; changes: LiveChange[] }> {
    await this.#readLedger();
    // Reading the source again costs less than memory that grows with it.
    const rounds = Math.max(1, Math.ceil(this.#counts.targetRows / mostRowsInMemory));
    for (let round = 0; round < rounds; round++) await this.#compare(round, rounds);
    await this.#addValues();
    const changes = this.#changes.map((change) => ({ ...change, key: shownKey(change.key) }));
    return { counts: this.#counts, changes };
  }

  async #readLedger(): Promise<void> {
    const [run, plan] = [this.#run, this.#plan];
    const { rows } = await this.#client.query<{ known: boolean; others: string; rows: string }>(
      `select coalesce((select others_known from pgroundwork.import_table where run = $1 and number = $2), false) as known,
              (select count(*) from pgroundwork.import_row where run = $1 and number = $2 and action = 'other') as others,
              (select count(*) from ${plan.table.rows}) as rows`,
      [run.number, plan.number],
    );
    this.#othersKnown = rows[0]?.known === true;
    if (this.#othersKnown) this.#counts.others = Number(rows[0]?.others);
    this.#counts.targetRows = Number(rows[0]?.rows);
    const rejects = await this.#client.query<{ key: string }>(
      "select key from pgroundwork.import_reject where run = $1 and number = $2 and kind = 'rejected' and key is not null",
      [run.number, plan.number],
    );
    for (const { key } of rejects.rows) this.#rejected.add(key);
  }

  async #compare(round: number, rounds: number): Promise<void> {
    const isPart = (key: string) => rounds === 1 || bucketOf(key) % rounds === round;
    const targets = await this.#readTarget(round, rounds);
    let rows = 0;
    for await (const expected of expectedRows(this.#source, this.#plan, { notLoaded: new Set() }, this.#signal)) {
      for (const row of expected) {
        rows++;
        if (!isPart(row.key)) continue;
        this.#compareRow(row, targets.get(row.key));
        targets.delete(row.key);
      }
      this.#onProgress(this.#plan, rows);
    }
    this.#counts.sourceRows = rows;
    for (const [key, { hash, isKnown, isOfSource }] of targets) {
      if (hash === null || this.#rejected.has(key)) continue;
      if (isOfSource) this.#add("deleted in the source", key);
      // It came from another source.
      else if (isKnown) this.#counts.others = this.#counts.others === undefined ? undefined : this.#counts.others + 1;
      else if (this.#othersKnown) this.#add("new in the target", key);
    }
  }

  #compareRow(row: ExpectedRow, target: TargetRow | undefined): void {
    if (target !== undefined && target.hash === hashOf(row.values)) return;
    if (this.#rejected.has(row.key)) {
      this.#counts.rejected++;
      return;
    }
    const digest = sourceDigest(this.#plan, row.part);
    if (digest === undefined) this.#add("not importable", row.key, row);
    else if (target === undefined) this.#add("new in the source", row.key);
    else if (target.hash === null) this.#add("deleted in the target", row.key);
    else if (!target.isKnown) this.#add("different", row.key, row);
    else {
      const sourceChanged = target.sourceDigest !== digest;
      if (sourceChanged && target.targetChanged) this.#add("changed on both sides", row.key, row);
      else this.#add(target.targetChanged ? "changed in the target" : "changed in the source", row.key, row);
    }
  }

  #add(kind: LiveChangeKind, key: string, row?: ExpectedRow): void {
    this.#counts.changes[kind] = (this.#counts.changes[kind] ?? 0) + 1;
    if (this.#changes.length >= namedChanges) return;
    const compared = row === undefined ? [] : comparedColumns(this.#plan);
    const columns = compared.map(({ target }, index) => ({
      name: target.name,
      source: row?.values[index] ?? null,
      target: null,
    }));
    const shown = kind === "not importable" ? columns.filter(({ source }) => source?.startsWith("(problem")) : columns;
    this.#changes.push({ table: this.#plan.table.name, key, kind, columns: shown });
  }

  /** Reads the target's rows and what the imports recorded of them, for a part of the keys. */
  async #readTarget(round: number, rounds: number): Promise<Map<string, TargetRow>> {
    const [run, plan] = [this.#run, this.#plan];
    const part = (key: string) =>
      rounds === 1 ? "true" : `(hashtextextended((${key}) collate "C", 0) & ${buckets - 1}) % ${rounds} = ${round}`;
    const digest = digestSql(
      plan.table.columns.map(({ name }) => name),
      "t",
    );
    const key = keySql(plan, "t");
    const { rows } = await this.#client.query<TargetRow & { key: string }>(
      `with b as (${baseline(run, plan)}), t as (select ${key} as key, ${hashSql(plan)} as hash, ${digest} as digest
          from ${plan.table.rows} t)
       select coalesce(t.key, b.key) as key, t.hash::text as hash, b.key is not null as "isKnown",
              coalesce(b."isOfSource", false) as "isOfSource",
              not coalesce(b."sameRow" and b.digest = t.digest, false) as "targetChanged",
              case when b."sameSource" then b.source_digest::text end as "sourceDigest"
         from t full join b on b.key = t.key
        where ${part("coalesce(t.key, b.key)")} and (b.key is not null or not exists (
          select from pgroundwork.import_row o
           where o.run = ${run.number} and o.number = ${plan.number} and o.action = 'other' and o.key = t.key))`,
    );
    return new Map(rows.map(({ key: name, ...row }) => [name, row]));
  }

  /** Completes the named changes with the target's values, and keeps only the columns that differ. */
  async #addValues(): Promise<void> {
    const columns = comparedColumns(this.#plan);
    const values = columns.map(({ codec, target }) => `(${codec.sql(`t.${identifier(target.name)}`)})`).join(", ");
    const wanted = this.#changes.filter((change) => change.columns.length > 0);
    if (wanted.length === 0) return;
    const { rows } = await this.#client.query<{ key: string; values: (string | null)[] }>(
      `select ${keySql(this.#plan, "t")} as key, array[${values}]::text[] as values from ${this.#plan.table.rows} t
        where ${keySql(this.#plan, "t")} = any ($1)`,
      [wanted.map(({ key }) => key)],
    );
    const found = new Map(rows.map((row) => [row.key, row.values]));
    for (const change of wanted)
      change.columns = change.columns
        .map((column, index) => ({ ...column, target: found.get(change.key)?.[index] ?? null }))
        .filter(({ source, target }) => source !== target);
  }
}

/** Hash of the compared values of a row: each hash is the seed of the next one. */
function hashOf(values: readonly (string | null)[]): string {
  let [seed, hash]: [Hash, Hash] = [{ ...noSeed }, { high: 0, low: 0 }];
  for (const value of values) {
    hashText(value === null ? "" : `=${value}`, seed, hash);
    [seed, hash] = [hash, seed];
  }
  return String(signedHash(seed));
}

/** SQL of {@link hashOf} for a row of the target. */
function hashSql(plan: TablePlan): string {
  let seed = "0::bigint";
  for (const { codec, target } of comparedColumns(plan))
    seed = `hashtextextended(coalesce('=' || (${codec.sql(`t.${identifier(target.name)}`)}) collate "C", ''), ${seed})`;
  return seed;
}
