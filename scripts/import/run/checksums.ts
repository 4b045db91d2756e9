import type { Client } from "pg";
import { withClient } from "../../connection/client.ts";
import type { Connection } from "../../connection/connection.ts";
import { detectLostClients } from "../../connection/session.ts";
import type { ImportPlan, TablePlan } from "../plan.ts";
import type { Source } from "../source/source.ts";
import { DecimalSum, trimmedDecimal } from "../values/decimal.ts";
import { type Hash, hashText, signedHash } from "../values/server-hash.ts";
import { type ImportRun, keySql, unchangedName } from "./ledger.ts";
import type { Difference } from "./result.ts";
import {
  bucketOf,
  buckets,
  comparedColumns,
  expectedRows,
  type LeftOutRows,
  noSeed,
  type TableSums,
} from "./source-sums.ts";
import { fixTextForms } from "./text-forms.ts";
import { isWritten } from "./written.ts";

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
  return sumsOf(client, plan, rowsOfRun(run, plan, leftOut));
}

/**
 * Computes the target's side of the checksums over the rows in the versions that a run wrote, while it is known which
 * these are. If all of its rows are as it wrote them, this is what {@link targetSums} computes, without looking each of
 * them up in the record. Rows that someone changed are missing in it.
 */
export async function writtenSums(client: Client, run: ImportRun, plan: TablePlan): Promise<TableSums> {
  return sumsOf(client, plan, `${plan.table.rows} t`, isWritten(run));
}

/**
 * Computes {@link writtenSums} of all tables in a session of its own, while another one records the rows.
 *
 * @returns the sums by the number of the table. Empty if they could not be computed: then the comparison does it
 */
export async function writtenSumsApart(
  connection: Connection,
  run: ImportRun,
  { tables }: ImportPlan,
): Promise<Map<number, TableSums>> {
  const found = new Map<number, TableSums>();
  try {
    await withClient(
      connection,
      async (client) => {
        await detectLostClients(client);
        await fixTextForms(client);
        for (const table of tables) found.set(table.number, await writtenSums(client, run, table));
      },
      "pgroundwork import",
    );
    return found;
  } catch {
    return new Map();
  }
}

async function sumsOf(client: Client, plan: TablePlan, from: string, condition = "true"): Promise<TableSums> {
  const columns = comparedColumns(plan);
  const hashed = columns.map(
    ({ codec, target }) =>
      `sum(coalesce(hashtextextended((${codec.sql(`t.${quoted(target.name)}`)}) collate "C", hashed.k), ~hashed.k))`,
  );
  const numbers = columns.filter(({ codec }) => codec.isNumber);
  const summed = numbers.map(({ target }) => {
    const number = `t.${quoted(target.name)}`;
    // Integers are added up faster than as numeric, and exactly: the sum has the next larger type.
    return /^int/.test(target.type.base)
      ? `sum(${number})`
      : `sum(${number}::numeric) filter (where ${number}::numeric not in ('NaN', 'Infinity', '-Infinity'))`;
  });
  // Arrays, because a result has at most 1,664 columns.
  const { rows } = await client.query<{ bucket: string; n: string; hashes: string[]; sums: (string | null)[] }>(
    `select (hashed.k & ${buckets - 1})::text as bucket, count(*) as n, array[${hashed.join(", ")}]::text[] as hashes,
            array[${summed.join(", ")}]::text[] as sums
       from ${from}
      cross join lateral (select hashtextextended((${keySql(plan, "t")}) collate "C", 0) as k offset 0) as hashed
      where ${condition} group by hashed.k & ${buckets - 1}`,
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
