import type { Client } from "pg";
import { exitCode, OperationError } from "../../core/operation-error.ts";
import { type ImportPlan, isKeyServerChecked, type TablePlan } from "../plan.ts";
import type { Source } from "../source/source.ts";
import { type ForeignKey, identifier, literal } from "../target/target-table.ts";
import { printed } from "../values/codec.ts";
import { withHashJoins } from "./hash-joins.ts";
import {
  baselineRows,
  digestSql,
  type ImportRun,
  keySql,
  missingName,
  readSource,
  type SourceOrigin,
  shownKey,
  stageName,
} from "./ledger.ts";
import { writeLines } from "./lines-file.ts";
import { isKeyMasked, maskedText } from "./mask.ts";
import { isReferable, referencingKeys } from "./removal.ts";
import type { MissingKind, MissingRow } from "./result.ts";
import { countUnchanged, keysOfUnchanged } from "./unchanged.ts";

/*
 * Rows that earlier imports recorded, that are still in the target, and whose keys the source no longer has. They are
 * found by their keys: every row of the source is in the stage, rejected, or left out as unchanged. A row counts as
 * missing only if its last record is of a verified run that read the same source by the same entry of the map. Names of
 * SQL: m is a row of the run's table of missing rows, t its row in the target.
 */

/** Rows of one table that the source lacks. */
export interface MissingCount {
  table: string;
  /** Missing rows of this source. */
  missing: number;
  /** Rows of the target that the source still has. */
  present: number;
}

/**
 * Returns the error if a run is to delete so many rows that the source is rather incomplete.
 *
 * @param maxDelete largest number of a table's rows, or share in percent (`5%`), that the source may lack
 */
export function tooManyMissing(
  counts: readonly MissingCount[],
  { map }: Pick<ImportPlan, "map">,
  maxDelete: number | `${number}%` = "50%",
): OperationError | undefined {
  if (map.missing !== "delete") return undefined;
  const exceeding = counts.filter(({ missing, present }) =>
    typeof maxDelete === "number"
      ? missing > maxDelete
      : missing * 100 > Number.parseFloat(maxDelete) * (missing + present),
  );
  if (exceeding.length === 0) return undefined;
  const number = (value: number) => value.toLocaleString("en");
  const lines = exceeding.map(
    ({ table, missing, present }) =>
      `- ${table}: ${number(missing)} of ${number(missing + present)} rows (${shareOf(missing, missing + present)})`,
  );
  return new OperationError(
    [`The source no longer has more rows than may be deleted, ${maxDelete} of a table:`, ...lines].join("\n"),
    {
      hint: "Look if the source is complete. If it is, allow more with --max-delete. Nothing was imported or deleted.",
      exitCode: exitCode.notAllowed,
    },
  );
}

/** Formats a share in percent so that a small rest stays visible. */
function shareOf(part: number, whole: number): string {
  const share = (100 * part) / whole;
  return `${share > 99 && share < 100 ? ">99" : Math.round(share)}%`;
}

/** Finds the missing rows of all tables, and keeps them in a table of the run. Call it when all rows are staged. */
export async function findMissing(
  client: Client,
  source: Source,
  run: ImportRun,
  plan: ImportPlan,
): Promise<MissingCount[]> {
  const name = missingName(run);
  await dropMissing(client, run);
  if (plan.map.existing !== "merge") return [];
  await client.query(`create table ${name} (target text not null, key text not null, kind text not null,
       reason text, digest bigint)`);
  const present = new Map<string, number>();
  const ofSource: SourceOrigin = { kind: source.kind, path: source.path, name: plan.map.source };
  const origin = { ...ofSource, later: await laterExport(client, ofSource, run) };
  for (const table of plan.tables) present.set(table.table.name, await findIn(client, origin, run, table));
  // It is read in pages, by this order.
  await client.query(`create index on ${name} (target, key collate "C"); analyze ${name}`);
  if (plan.map.missing === "delete") await keepReferenced(client, run, plan);
  const { rows } = await client.query<{ table: string; missing: number }>(
    `select target as "table", (count(*) filter (where kind <> 'unknown'))::int as missing from ${name} group by 1 order by 1`,
  );
  return rows.map((row) => ({ ...row, present: present.get(row.table) ?? 0 }));
}

/** Removes the table of {@link findMissing}. */
export async function dropMissing(client: Client, run: Pick<ImportRun, "number">): Promise<void> {
  await client.query(`drop table if exists ${missingName(run)}`);
}

/** A source of which rows can be missing. */
interface Origin extends SourceOrigin {
  /** Reason why this is not its newest export. undefined: nothing says so. */
  later: string | undefined;
}

/** Finds the missing rows of one table; returns the number of its rows that the source has. */
async function findIn(client: Client, origin: Origin, run: ImportRun, plan: TablePlan): Promise<number> {
  const counted = await client.query<{ n: string }>(`select count(*) as n from ${plan.table.rows}`);
  const all = Number(counted.rows[0]?.n);
  // Rows that were left out are in the target. If it has no others, none is missing.
  if (all === (await countUnchanged(client, run, plan))) return all;
  const unchanged = await keysOfUnchanged(client, run, plan);
  const seen = [
    `select ${keySql(plan, "s")} as key from ${stageName(run, plan)} s`,
    `select key from pgroundwork.import_reject where run = ${run.number} and number = ${plan.number} and key is not null`,
    ...(unchanged === undefined ? [] : [unchanged]),
  ];
  const { rows } = await withHashJoins<{ absent: string }>(
    client,
    `with absent as materialized (
       select t.key from (select ${keySql(plan, "t")} as key from ${plan.table.rows} t) t
        where not exists (select from (${seen.join(" union all ")}) s where s.key = t.key)),
     judged as (
       insert into ${missingName(run)} (target, key, digest, kind, reason)
       ${judgedRows(origin, run, plan, await unreadableKeys(client, run, plan))})
     select count(*) as absent from absent`,
  );
  return all - Number(rows[0]?.absent);
}

/**
 * Returns a reason why the keys of all rows of the source are not known; undefined if they are. Rows without a readable
 * key that an earlier run rejected, too, never were in the target.
 */
async function unreadableKeys(client: Client, run: ImportRun, plan: TablePlan): Promise<string | undefined> {
  if (isKeyServerChecked(plan)) return "only the server can compare keys of this type";
  const { rows } = await client.query<{ n: number }>(
    `select count(*)::int as n from pgroundwork.import_reject j
      where j.run = $1 and j.number = $2 and j.kind = 'rejected' and j.key is null
        and not exists (select from pgroundwork.import_reject e
          join pgroundwork.import_table i on i.run = e.run and i.number = e.number and i.entry_sha256 = $3
         where e.run < $1 and e.kind = 'rejected' and e.key is null and e.fingerprint = j.fingerprint)`,
    [run.number, plan.number, plan.sha256],
  );
  const rejected = rows[0]?.n ?? 0;
  return rejected === 0 ? undefined : `${rejected} rows of the source have keys that cannot be read`;
}

/**
 * Returns a reason why this export of a source with a name is not its newest one; undefined if nothing says so. A later
 * export was imported after this one: rows that came with it would seem to be missing.
 */
async function laterExport(client: Client, origin: SourceOrigin, run: ImportRun): Promise<string | undefined> {
  if (origin.name === undefined) return undefined;
  const { rows } = await client.query<{ path: string }>(
    `select l.source_path as path from pgroundwork.import_run l
      where ${readSource("l", origin)} and l.phase = 'verified' and l.source_path <> $2 and l.number < $1
        and exists (select from pgroundwork.import_run e where ${readSource("e", origin)} and e.phase = 'verified'
                       and e.source_path = $2 and e.number < l.number)
      order by l.number desc limit 1`,
    [run.number, origin.path],
  );
  const [later] = rows;
  return later && `this export was imported before ${later.path}, which is newer`;
}

/** SQL of the rows `absent` that imports recorded, and what each of them is by the last import that did. */
function judgedRows(origin: Origin, run: ImportRun, plan: TablePlan, unreadable: string | undefined): string {
  const { later } = origin;
  const target = plan.table.name;
  const names = plan.table.columns.map(({ name }) => name);
  const ofSource = readSource("u", origin);
  const unknown: [condition: string, reason: string][] = [
    [`${unreadable !== undefined}`, literal(unreadable ?? "")],
    [`${later !== undefined}`, literal(later ?? "")],
    ["not b.verified", "'import ' || b.id || ', the last one that read it, was not verified'"],
    ["not b.same_source", "'import ' || b.id || ' read it from ' || b.source_path"],
    ["not b.same_entry", "'import ' || b.id || ' read it by another entry of a map'"],
    ["not b.same_columns", "'the table had other columns at import ' || b.id"],
  ];
  const reasons: [kind: MissingKind, condition: string, reason: string][] = [
    ...unknown.map(([condition, reason]): [MissingKind, string, string] => ["unknown", condition, reason]),
    ["conflict", `b.digest is distinct from ${digestSql(names, "t")}`, "'the target changed it since import ' || b.id"],
    ["not inserted", "not b.inserted", "'no import of this source inserted it'"],
    ["missing", "true", "null"],
  ];
  const choose = (value: (each: (typeof reasons)[number]) => string) =>
    `case ${reasons.map((each) => `when ${each[1]} then ${value(each)}`).join(" ")} end`;
  return `select ${literal(target)}, b.key, b.digest, ${choose(([kind]) => literal(kind))}, ${choose((each) => each[2])}
     from (
       select distinct on (r.key) r.key, r.action, r.digest, u.id::text as id, u.source_path,
              u.phase = 'verified' as verified, ${ofSource} as same_source,
              i.entry_sha256 = ${literal(plan.sha256)} as same_entry,
              i.columns = array[${names.map(literal).join(", ")}] as same_columns,
              coalesce(max(r.run) filter (where r.action = 'inserted' and ${ofSource}) over every
                > coalesce(max(r.run) filter (where r.action = 'deleted') over every, 0), false) as inserted
         from ${baselineRows(target)} and u.phase <> 'stopped' and r.run < ${run.number} and r.digest is not null
          and r.key in (select key from absent)
       window every as (partition by r.key) order by r.key, r.run desc) b
     join ${plan.table.rows} t on ${keySql(plan, "t")} = b.key
    where b.action <> 'deleted'`;
}

/**
 * Marks missing rows that other rows reference, in the target or in the stage, unless those are missing, too. A row
 * that is kept keeps those that it references.
 */
export async function keepReferenced(client: Client, run: ImportRun, plan: ImportPlan): Promise<void> {
  if (!(await hasKind(client, run, "missing"))) return;
  const keys: [TablePlan, ForeignKey][] = [];
  for (const table of plan.tables)
    for (const key of await referencingKeys(client, { target: table.table.name })) keys.push([table, key]);
  for (let changed = true; changed; ) {
    changed = false;
    for (const [table, key] of keys)
      for (const referencing of referencingRows(run, plan, key))
        if ((await withHashJoins(client, keepReferencedSql(run, table, key, referencing))).rowCount) changed = true;
  }
}

/** SQL of conditions that are true if rows of the target, or of a stage, reference a row `t`. */
function referencingRows(
  run: ImportRun,
  { tables }: ImportPlan,
  { table, columns, parentColumns }: ForeignKey,
): string[] {
  const pairs = columns.map((column, index) => [identifier(column), identifier(parentColumns[index] ?? "")]);
  const match = pairs.map(([column, parent]) => `c.${column} = t.${parent}`).join(" and ");
  const entries = tables.filter((each) => each.table.name === table);
  const goes = entries.map(
    (own) => `and not exists (select from ${missingName(run)} o
        where o.target = ${literal(table)} and o.kind = 'missing' and o.key = ${keySql(own, "c")})`,
  );
  // The stage's column can still be a text.
  const staged = pairs.map(([column, parent]) => `${printed(`s.${column}`)} = ${printed(`t.${parent}`)}`).join(" and ");
  const stages = entries
    .filter((entry) => columns.every((column) => entry.columns.some(({ target }) => target.name === column)))
    .map((entry) => `exists (select from ${stageName(run, entry)} s where ${staged})`);
  return [`exists (select from ${table} c where ${match} ${goes.join("")})`, ...stages];
}

function keepReferencedSql(run: ImportRun, plan: TablePlan, key: ForeignKey, referencing: string): string {
  const target = plan.table.name;
  return `update ${missingName(run)} m set kind = 'referenced', reason = ${literal(`${key.table} references it (${key.name})`)}
     from ${plan.table.rows} t
    where m.target = ${literal(target)} and m.kind = 'missing' and ${keySql(plan, "t")} = m.key
      and ${isReferable(key, { target })} and ${referencing}`;
}

async function hasKind(client: Client, run: ImportRun, kind: MissingKind): Promise<boolean> {
  const { rowCount } = await client.query(`select from ${missingName(run)} where kind = '${kind}' limit 1`);
  return rowCount === 1;
}

/** SQL that is true for rows `t` of a table that the run will delete; undefined if there are none. */
export async function deletedRows(
  client: Client,
  run: ImportRun,
  { map }: ImportPlan,
  plan: TablePlan,
): Promise<string | undefined> {
  if (map.missing !== "delete") return undefined;
  const rows = `${missingName(run)} m where m.target = ${literal(plan.table.name)} and m.kind = 'missing'`;
  const { rowCount } = await client.query(`select from ${rows} limit 1`);
  return rowCount === 0 ? undefined : `exists (select from ${rows} and m.key = ${keySql(plan, "t")})`;
}

/** Returns true if a run has a table of missing rows. One of an earlier version that was interrupted has none. */
export async function hasMissing(client: Client, run: ImportRun): Promise<boolean> {
  const { rows } = await client.query<{ found: boolean }>("select to_regclass($1) is not null as found", [
    missingName(run),
  ]);
  return rows[0]?.found === true;
}

/** Counts the missing rows by table and kind, and reads the first ones, with keys as people read them. */
export async function readMissing(
  client: Client,
  run: ImportRun,
  plan: ImportPlan,
  limit: number,
): Promise<{ counts: Map<string, Partial<Record<MissingKind, number>>>; first: MissingRow[] }> {
  const counts = new Map<string, Partial<Record<MissingKind, number>>>();
  if (!(await hasMissing(client, run))) return { counts, first: [] };
  const { rows } = await client.query<{ target: string; kind: MissingKind; n: number }>(
    `select target, kind, count(*)::int as n from ${missingName(run)} group by 1, 2 order by 1, 2`,
  );
  for (const { target, kind, n } of rows) counts.set(target, { ...counts.get(target), [kind]: n });
  const first = await client.query<MissingRow>(
    `select target as "table", key, kind, reason from ${missingName(run)}
      order by kind = 'unknown', target, key collate "C" limit ${limit}`,
  );
  const masked = tablesWithMaskedKeys(plan);
  const rowsShown = first.rows.map(({ table, key, ...row }) => {
    return { table, key: masked.includes(table) ? maskedText : shownKey(key), ...row };
  });
  return { counts, first: rowsShown };
}

/** Rows that are read at once. */
const pageRows = 1_000;

/** Writes all missing rows to a JSONL file with mode 0600. Each line has table, key, kind and reason. */
export async function writeMissing(client: Client, run: ImportRun, plan: ImportPlan, path: string): Promise<void> {
  if (await hasMissing(client, run)) await writeLines(path, missingLines(client, run, tablesWithMaskedKeys(plan)));
}

/** Returns the tables of the target whose keys are not written to reports. */
function tablesWithMaskedKeys({ tables, map }: ImportPlan): string[] {
  return tables.filter((plan) => isKeyMasked(plan, map.mask)).map(({ table }) => table.name);
}

async function* missingLines(client: Client, run: ImportRun, masked: readonly string[]): AsyncIterable<string[]> {
  const key = `case when target = any ($3) then ${literal(maskedText)} else key end`;
  for (let last = ["", ""]; ; ) {
    const { rows } = await client.query<{ table: string; key: string; line: string }>(
      `select target as "table", key, json_build_object('table', target, 'key', ${key}, 'kind', kind, 'reason', reason)::text as line
         from ${missingName(run)} where (target, key collate "C") > ($1, $2 collate "C")
        order by target, key collate "C" limit ${pageRows}`,
      [...last, masked],
    );
    yield rows.map(({ line }) => line);
    const end = rows.at(-1);
    if (end === undefined || rows.length < pageRows) break;
    last = [end.table, end.key];
  }
}
