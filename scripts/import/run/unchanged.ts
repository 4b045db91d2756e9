import type { Client } from "pg";
import { provenance } from "../../ledger/provenance.ts";
import { type ImportPlan, isKeyServerChecked, type TablePlan } from "../plan.ts";
import type { ReadOptions, Source, SourceRow } from "../source/source.ts";
import { literal } from "../target/target-table.ts";
import { CopyWriter } from "./copy.ts";
import { withHashJoins } from "./hash-joins.ts";
import { fingerprintsName, type ImportRun, keySql, stageName, targetDigest, unchangedName } from "./ledger.ts";
import { digestAsLeft } from "./written.ts";

/*
 * A later run leaves rows out that are the same on both sides: their bytes in the source have the fingerprint that the
 * last run recorded, and their rows in the target have the hash that it recorded. Everything else is read, validated
 * and compared as in a first run. Names of SQL: f is a fingerprint of the source as it is now, r a row of the last run.
 */

/** The last run that wrote an entry's table. */
interface Base {
  run: string;
  number: number;
}

/** Reason why no row of an entry can be left out. */
export class NoBase {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

/** Rows of a source that are left out for one entry, by their ordinals. */
export class UnchangedRows {
  /** For each row of the source: the rows of the target that it became; -1 if it has to be read. */
  readonly #parts: Int32Array;
  readonly #wantsNone: boolean;

  constructor(parts: Int32Array) {
    this.#parts = parts;
    this.#wantsNone = parts.every((count) => count >= 0);
  }

  /** Returns true if a row of the source, by its ordinal, has to be read. */
  readonly #isWanted = (ordinal: number): boolean => (this.#parts[ordinal - 1] ?? -1) < 0;

  /** Reads the rows of a source that are not left out. */
  async *read(source: Source, { entry }: TablePlan, options: ReadOptions): AsyncIterable<SourceRow[]> {
    if (!this.#wantsNone) yield* source.rows(entry, { ...options, isWanted: this.#isWanted });
  }

  /**
   * Returns a function that gives the number of rows of the target that were left out before a row of the source. Call
   * it with increasing ordinals; each call counts from the last one, and a call without an ordinal counts to the end.
   */
  counter(): (ordinal?: number) => number {
    let at = 0;
    return (ordinal = this.#parts.length + 1) => {
      let count = 0;
      for (; at < ordinal - 1 && at < this.#parts.length; at++) count += Math.max(this.#parts[at] ?? 0, 0);
      return count;
    };
  }
}

/** Rows of the source whose counts are read as one text. */
const chunkRows = 10_000;

/**
 * Finds the rows of all entries that can be left out, and keeps them in tables of the run. Does nothing for entries
 * that no verified run of the same entry, columns and version of the kit wrote last.
 */
export async function findUnchanged(
  client: Client,
  source: Source,
  run: ImportRun,
  { tables }: ImportPlan,
  signal?: AbortSignal,
): Promise<void> {
  await dropUnchanged(client, run);
  await client.query(
    `create table ${fingerprintsName(run)} (collection integer not null, ordinal bigint not null, fingerprint uuid not null);
     create table ${unchangedName(run)} (number integer not null, fingerprint uuid not null, parts integer not null)`,
  );
  for (const plan of tables) {
    const base = await baseOf(client, run, plan);
    if (base === undefined) continue;
    const collection = collectionOf(tables, plan);
    await readFingerprints(client, source, run, plan, collection, signal);
    await compareWithBase(client, run, plan, base, collection);
  }
  await client.query(`analyze ${unchangedName(run)}`);
}

/** Removes the tables of {@link findUnchanged}. */
export async function dropUnchanged(client: Client, run: Pick<ImportRun, "number">): Promise<void> {
  await client.query(`drop table if exists ${fingerprintsName(run)}, ${unchangedName(run)}`);
}

/** Number of the first entry that reads the same rows of the source. */
function collectionOf(tables: readonly TablePlan[], { entry }: TablePlan): number {
  return tables.find((each) => each.entry.from === entry.from && each.entry.query === entry.query)?.number ?? 0;
}

/** Returns a reason why every row has to be read, whatever earlier runs recorded. */
function needsReading(plan: TablePlan): string | undefined {
  const readsPosition = Object.values(plan.entry.columns).some((column) => {
    const from = typeof column === "string" ? column : column.from;
    return from?.split(".").includes("$position");
  });
  if (readsPosition) return "the place of a row in the source is part of its values";
  if (isKeyServerChecked(plan)) return "only the server can compare its key";
  return undefined;
}

async function baseOf(client: Client, run: ImportRun, plan: TablePlan): Promise<Base | undefined> {
  const base = await findBase(client, run, plan);
  return base instanceof NoBase ? undefined : base;
}

/** Finds the last run of an entry's table, or the reason why its fingerprints do not tell which rows are the same. */
export async function findBase(client: Client, run: ImportRun, plan: TablePlan): Promise<Base | NoBase> {
  const needed = needsReading(plan);
  if (needed !== undefined) return new NoBase(needed);
  const columns = `array[${plan.table.columns.map(({ name }) => literal(name)).join(", ")}]`;
  const { rows } = await client.query<Base & { reason: string | null }>(
    `select i.run::text as run, i.number,
            case when u.phase <> 'verified' then 'import ' || u.id || ' was not verified'
                 when i.entry_sha256 <> $2 then 'import ' || u.id || ' had another entry in its map'
                 when i.columns <> ${columns} then 'the table had other columns at import ' || u.id
                 when u.kit_version <> $3 then 'another version of the kit made import ' || u.id end as reason
       from pgroundwork.import_table i join pgroundwork.import_run u on u.number = i.run
      where i.target = $1 and i.run < ${run.number} and u.phase not in ('rolled back', 'stopped')
      order by i.run desc limit 1`,
    [plan.table.name, plan.sha256, provenance(undefined).kitVersion],
  );
  const [base] = rows;
  if (base === undefined) return new NoBase("no earlier import wrote the table");
  return base.reason === null ? base : new NoBase(base.reason);
}

async function readFingerprints(
  client: Client,
  source: Source,
  run: ImportRun,
  plan: TablePlan,
  collection: number,
  signal?: AbortSignal,
): Promise<void> {
  const name = fingerprintsName(run);
  const { rowCount } = await client.query(`select from ${name} where collection = ${collection} limit 1`);
  if (rowCount === 1) return;
  const writer = new CopyWriter(client);
  let ordinal = 0;
  for await (const fingerprints of source.fingerprints(plan.entry, signal))
    for (const fingerprint of fingerprints) {
      const sent = writer.add(
        `copy ${name} (collection, ordinal, fingerprint) from stdin`,
        `${collection}\t${++ordinal}\t${fingerprint}\n`,
      );
      if (sent !== undefined) await sent;
    }
  await writer.flush();
  await client.query(`analyze ${name}`);
}

/**
 * Records what can be left out for an entry: rows that occur once, of which the last run loaded all parts, and whose
 * rows in the target are as it left them. A document without parts in this table must be known from another one.
 */
async function compareWithBase(
  client: Client,
  run: ImportRun,
  plan: TablePlan,
  base: Base,
  collection: number,
): Promise<void> {
  await withHashJoins(
    client,
    `insert into ${unchangedName(run)} (number, fingerprint, parts)
     with once as (
            select fingerprint from ${fingerprintsName(run)} where collection = ${collection}
             group by fingerprint having count(*) = 1),
          loaded as (
            select r.fingerprint, count(*)::integer as parts,
                   bool_and(coalesce(r.action <> 'kept' and r.digest = ${targetDigest(plan)}, false)) as same
              from pgroundwork.import_row r left join ${plan.table.rows} t on ${keySql(plan, "t")} = r.key
             where r.run = ${base.run} and r.number = ${base.number} and r.action <> 'other' group by 1),
          known as (
            select distinct k.fingerprint from pgroundwork.import_row k
              join pgroundwork.import_table i on i.run = k.run and i.number = k.number
             where k.run = ${base.run} and i.source = ${literal(plan.entry.from)} and ${plan.entry.each !== undefined})
     select ${plan.number}, f.fingerprint, coalesce(l.parts, 0)
       from once f left join loaded l on l.fingerprint = f.fingerprint left join known k on k.fingerprint = f.fingerprint
      where coalesce(l.same, k.fingerprint is not null)
        and not exists (select from pgroundwork.import_reject j
                         where j.run = ${base.run} and j.number = ${base.number} and j.fingerprint = f.fingerprint)`,
  );
}

/** Reads which rows are left out for an entry; undefined if none is. */
export async function readUnchanged(
  client: Client,
  run: ImportRun,
  { tables }: ImportPlan,
  plan: TablePlan,
): Promise<UnchangedRows | undefined> {
  if (!(await hasUnchanged(client, run))) return undefined;
  const { rows } = await client.query<{ first: string; parts: string; same: string }>(
    `select min(f.ordinal) as first, string_agg(coalesce(u.parts, -1)::text, ' ' order by f.ordinal) as parts,
            count(u.parts) as same
       from ${fingerprintsName(run)} f
       left join ${unchangedName(run)} u on u.number = ${plan.number} and u.fingerprint = f.fingerprint
      where f.collection = ${collectionOf(tables, plan)} group by (f.ordinal - 1) / ${chunkRows} order by min(f.ordinal)`,
  );
  if (!rows.some(({ same }) => same !== "0")) return undefined;
  const chunks = rows.map(({ parts }) => Int32Array.from(parts.split(" "), Number));
  const all = new Int32Array(chunks.reduce((sum, { length }) => sum + length, 0));
  for (const [index, chunk] of chunks.entries()) all.set(chunk, index * chunkRows);
  return new UnchangedRows(all);
}

async function hasUnchanged(client: Client, run: ImportRun): Promise<boolean> {
  const { rows } = await client.query<{ found: boolean }>("select to_regclass($1) is not null as found", [
    unchangedName(run),
  ]);
  return rows[0]?.found === true;
}

/** SQL of the keys of the rows that are left out for an entry; undefined if none is. */
export async function keysOfUnchanged(client: Client, run: ImportRun, plan: TablePlan): Promise<string | undefined> {
  if (!(await hasUnchanged(client, run))) return undefined;
  const base = await baseOf(client, run, plan);
  if (base === undefined) return undefined;
  return `select r.key from ${unchangedName(run)} u
    join pgroundwork.import_row r on r.run = ${base.run} and r.number = ${base.number} and r.fingerprint = u.fingerprint
   where u.number = ${plan.number} and r.action <> 'other'`;
}

/**
 * Returns true if a row that was read has the key of one that is left out. Only a run that reads both can decide
 * between them.
 */
export async function clashesWithUnchanged(client: Client, run: ImportRun, plan: TablePlan): Promise<boolean> {
  if (!(await hasUnchanged(client, run))) return false;
  const base = await baseOf(client, run, plan);
  if (base === undefined) return false;
  const { rowCount } = await client.query(
    `select from ${stageName(run, plan)} s
       join pgroundwork.import_row r on r.run = ${base.run} and r.number = ${base.number} and r.key = ${keySql(plan, "s")}
       join ${unchangedName(run)} u on u.number = ${plan.number} and u.fingerprint = r.fingerprint limit 1`,
  );
  return rowCount === 1;
}

/**
 * Records the rows that were left out as rows of this run, as the load left them. Those that the load changed, by a
 * trigger, are compared with the source again: they are no longer left out. Those that someone else changed meanwhile
 * keep their hash, so that the next merge sees the change.
 */
export async function recordUnchanged(client: Client, run: ImportRun, plan: TablePlan): Promise<void> {
  if (!(await hasUnchanged(client, run))) return;
  const base = await baseOf(client, run, plan);
  if (base === undefined) return;
  const columns = plan.table.columns.map(({ name }) => name);
  const digest = digestAsLeft(run, columns, "r.digest");
  await withHashJoins(
    client,
    `with carried as (
       insert into pgroundwork.import_row (run, number, key, action, digest, source_digest, source_key, fingerprint)
       select ${run.number}, ${plan.number}, r.key, 'unchanged', ${digest}, r.source_digest, r.source_key,
              r.fingerprint
         from ${unchangedName(run)} u
         join pgroundwork.import_row r on r.run = ${base.run} and r.number = ${base.number} and r.fingerprint = u.fingerprint
         join ${plan.table.rows} t on ${keySql(plan, "t")} = r.key
        where u.number = ${plan.number} and r.action <> 'other' returning key, digest, fingerprint)
     delete from ${unchangedName(run)} u using carried c, pgroundwork.import_row r
      where u.number = ${plan.number} and u.fingerprint = c.fingerprint and r.run = ${base.run}
        and r.number = ${base.number} and r.key = c.key and r.digest is distinct from c.digest`,
  );
}

/** Counts the rows of the target that were left out for an entry. */
export async function countUnchanged(client: Client, run: ImportRun, plan: TablePlan): Promise<number> {
  if (!(await hasUnchanged(client, run))) return 0;
  const { rows } = await client.query<{ rows: string | null }>(
    `select sum(parts) as rows from ${unchangedName(run)} where number = ${plan.number}`,
  );
  return Number(rows[0]?.rows ?? 0);
}
