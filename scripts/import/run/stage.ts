import type { Client } from "pg";
import { convert, recordedValue } from "../convert.ts";
import { type ColumnPlan, type ImportPlan, isDomain, isServerChecked, type TablePlan } from "../plan.ts";
import type { Source, SourceRow } from "../source/source.ts";
import { digestOfCells, sourceKeyReader } from "../source-row.ts";
import { identifier } from "../target/target-table.ts";
import { copyField } from "../values/copy-text.ts";
import { printable } from "../values/shown.ts";
import { InvalidText, isTooLong, Problem, type Value } from "../values/value.ts";
import { CopyWriter } from "./copy.ts";
import { type ImportRun, joinKey, stageName, triedName, writtenName } from "./ledger.ts";
import { isMasked, maskedValue } from "./mask.ts";
import { dropMissing } from "./missing.ts";
import type { FieldProblem } from "./result.ts";
import { isManyColumns, mostRowBytes, rowBytes, tooWide } from "./row-size.ts";
import { SourceSums } from "./source-sums.ts";
import { dropUnchanged, type UnchangedRows } from "./unchanged.ts";

/** Rows of one table that were read. */
export interface StagedTable {
  sourceRows: number;
  rejected: number;
  /** Checksums of the rows that were not rejected. Undefined if rows were left out as unchanged. */
  sums: SourceSums | undefined;
}

/** Longest converted value of a rejected row that is recorded, in characters. Rows that reference it compare keys. */
const mostStaged = 1 << 20;

/** Gets the number of rows that were read so far. */
export type StageProgress = (rows: number) => void;

/** Removes all tables that a run keeps until its rows are loaded and verified. */
export async function dropStages(
  client: Client,
  run: ImportRun,
  tables: readonly Pick<TablePlan, "number">[],
): Promise<void> {
  for (const table of tables)
    await client.query(`drop table if exists ${stageName(run, table)}, ${triedName(run, table)}`);
  await client.query(`drop table if exists ${writtenName(run)}`);
  await dropUnchanged(client, run);
  await dropMissing(client, run);
}

/**
 * Creates the table that holds the converted rows until they are valid and loaded. It has the target's columns, so that
 * the target's checks and keys can be evaluated on it, plus the import's own with a `$`.
 */
export async function createStage(client: Client, run: ImportRun, plan: TablePlan): Promise<void> {
  const stage = stageName(run, plan);
  await client.query(`drop table if exists ${stage}, ${triedName(run, plan)}`);
  await client.query(`create table ${stage} (like ${plan.table.name})`);
  const changes = plan.table.columns
    .filter(({ notNull }) => notNull)
    .map(({ name }) => `alter ${identifier(name)} drop not null`);
  // A domain would refuse values, such as the null of a column that is not mapped, before they can be rejected.
  for (const { name, type } of plan.table.columns.filter(isDomain))
    if (type.base !== "other") changes.push(`alter ${identifier(name)} type ${type.stored}`);
  for (const column of plan.columns)
    if (isServerChecked(column)) changes.push(`alter ${identifier(column.target.name)} type text using null`);
  changes.push(
    'add "$ordinal" bigint not null',
    'add "$action" text',
    'add "$digest" bigint',
    'add "$seen" bigint',
    'add "$source_key" text',
    'add "$fingerprint" uuid',
  );
  await client.query(`alter table ${stage} ${changes.join(", ")}`);
  await copyDefaults(client, stage, plan);
}

/** Gives the stage the defaults of columns that are not mapped, because checks can concern them. */
async function copyDefaults(client: Client, stage: string, plan: TablePlan): Promise<void> {
  const names = plan.table.columns
    .filter(({ constantDefault }) => constantDefault)
    .map(({ name }) => name)
    .filter((name) => !plan.columns.some(({ target }) => target.name === name));
  const { rows } = await client.query<{ name: string; expression: string }>(
    `select a.attname as name, pg_get_expr(d.adbin, d.adrelid) as expression
       from pg_attribute a join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
      where a.attrelid = $1 and a.attgenerated = '' and a.attname = any ($2::text[])`,
    [plan.table.oid, names],
  );
  for (const { name, expression } of rows)
    await client.query(`alter table ${stage} alter ${identifier(name)} set default ${expression}`);
}

/**
 * Reads the source's rows of one entry, converts them and sends them to the stage. Rows with a problem go to the
 * rejected rows. Unchanged rows are left out, and counted.
 */
export async function stageTable(
  client: Client,
  source: Source,
  run: ImportRun,
  plan: TablePlan,
  { map }: ImportPlan,
  unchanged: UnchangedRows | undefined,
  onProgress: StageProgress,
  signal?: AbortSignal,
): Promise<StagedTable> {
  const writer = new CopyWriter(client);
  const names = [
    '"$ordinal"',
    '"$digest"',
    '"$source_key"',
    '"$fingerprint"',
    ...plan.columns.map(({ target }) => identifier(target.name)),
  ];
  const stageSql = `copy ${stageName(run, plan)} (${names.join(", ")}) from stdin`;
  const rejectSql =
    "copy pgroundwork.import_reject (run, number, ordinal, kind, place, key, problems, staged, source, fingerprint) from stdin";
  const result: StagedTable = {
    sourceRows: 0,
    rejected: 0,
    sums: unchanged === undefined ? new SourceSums(plan) : undefined,
  };
  const { columns } = plan;
  const writers = columns.map(({ target }) => (needsNoEscapes.test(target.type.base) ? bareField : copyField));
  const keyIndexes = plan.key.map((name) => plan.columns.findIndex(({ target }) => target.name === name));
  const reject = (row: SourceRow, problems: FieldProblem[], cells: readonly (string | null | Problem)[]) => {
    result.rejected++;
    const staged = Object.fromEntries(
      plan.columns.flatMap(({ target }, index) => {
        const cell = cells[index];
        return typeof cell === "string" && cell.length <= mostStaged ? [[target.name, cell]] : [];
      }),
    );
    const keys = keyIndexes.map((index) => cells[index]);
    const key = keys.every((cell) => typeof cell === "string") && keys.length > 0 ? joinKey(keys) : null;
    const fields = [
      run.number,
      String(plan.number),
      String(result.sourceRows),
      "rejected",
      row.place ?? null,
      key,
      JSON.stringify(problems),
      JSON.stringify(staged),
      JSON.stringify(recordedRow(source, plan, row.row, map.mask ?? [])),
      row.fingerprint ?? null,
    ];
    return writer.add(rejectSql, `${fields.map(copyField).join("\t")}\n`);
  };
  const keyOf = sourceKeyReader(plan);
  const isWide = isManyColumns(plan.table.columns.length);
  const leftOut = unchanged?.counter();
  const options = { signal, fingerprints: true };
  for await (const rows of unchanged?.read(source, plan, options) ?? source.rows(plan.entry, options)) {
    for (const row of rows) {
      result.sourceRows += leftOut?.(row.ordinal) ?? 0;
      const parts = row.row instanceof Problem ? row.row : plan.reader.expand(row.row);
      if (parts instanceof Problem) {
        result.sourceRows++;
        refuseAmbiguous(plan, row, parts);
        await reject(row, [{ fields: [plan.entry.each ?? ""], reason: parts.reason }], []);
        continue;
      }
      for (const part of parts) {
        result.sourceRows++;
        const cells = new Array<string | null | Problem>(columns.length);
        let line = "";
        let problems: FieldProblem[] | undefined;
        try {
          for (let index = 0; index < columns.length; index++) {
            const column = columns[index] as ColumnPlan;
            const cell = convert(column, part);
            cells[index] = cell;
            if (cell instanceof Problem) {
              refuseAmbiguous(plan, row, cell, column.field, isMasked(column.field, map.mask));
              problems ??= [];
              const value = column.read(part);
              const reason = isMasked(column.field, map.mask) ? maskedReason(value, column) : cell.reason;
              problems.push({
                fields: [column.field],
                reason,
                value: maskedValue(column.field, recordedValue(value), map.mask),
              });
            } else line += `\t${(writers[index] as typeof copyField)(cell)}`;
          }
          line = stagedLine(result.sourceRows, keyOf(part), row.fingerprint, line);
          if (problems === undefined && isWide && rowBytes(plan, cells) > mostRowBytes)
            problems = [{ fields: [], reason: tooWide }];
          if (problems === undefined) result.sums?.addConverted(cells, part);
        } catch (error) {
          if (!isTooLong(error)) throw error;
          problems = [{ fields: [], reason: "the row is longer than a text can be, with all of its values" }];
          // They can have a part of the row.
          result.sums = undefined;
        }
        const sent = problems === undefined ? writer.add(stageSql, line) : reject(row, problems, cells);
        if (sent !== undefined) await sent;
      }
    }
    onProgress(result.sourceRows);
  }
  result.sourceRows += leftOut?.() ?? 0;
  await writer.flush();
  await client.query("update pgroundwork.import_table set source_rows = $3 where run = $1 and number = $2", [
    run.number,
    plan.number,
    result.sourceRows,
  ]);
  return result;
}

/** Types whose texts have no character that COPY's text format escapes. */
const needsNoEscapes = /^(int[248]|oid|numeric|float[48]|bool|uuid|date|time|timestamp|timestamptz)$/;

function bareField(text: string | null): string {
  return text ?? "\\N";
}

function stagedLine(ordinal: number, sourceKey: string | null, fingerprint: string | undefined, cells: string): string {
  return `${ordinal}\t${digestOfCells(cells)}\t${copyField(sourceKey)}\t${fingerprint ?? "\\N"}${cells}\n`;
}

/** A value whose meaning only the map can decide. It stops the run, whatever the policy for rejected rows is. */
export class AmbiguousValue extends Error {}

function refuseAmbiguous(plan: TablePlan, row: SourceRow, problem: Problem, field?: string, masked = false): void {
  if (!problem.ambiguous) return;
  const place = row.place ?? `row ${row.ordinal}`;
  const reason = masked ? "the masked value has several meanings; the map has to say which" : problem.reason;
  const where = [plan.entry.from, place, ...(field === undefined ? [] : [field])].join(", ");
  throw new AmbiguousValue(printable(`${where}: ${reason}.`));
}

/** Returns the source's row as it is recorded, with masked fields. */
export function recordedRow(source: Source, plan: TablePlan, row: unknown, mask: readonly string[]): unknown {
  if (row instanceof Problem) return null;
  const fields = Object.entries(source.describe(plan.entry, row));
  return Object.fromEntries(fields.map(([name, value]) => [name, maskedValue(name, recordedValue(value), mask)]));
}

/** Says what is wrong with a value without showing it. */
function maskedReason(value: Value, { target }: TablePlan["columns"][number]): string {
  return value instanceof InvalidText
    ? `${value.reason} (masked)`
    : `the masked value does not fit ${target.type.name}`;
}
