import type { Client } from "pg";
import { exitCode, OperationError } from "../../core/operation-error.ts";
import { ensureLedger, tableAccess } from "../../ledger/kit-schema.ts";
import { type Provenance, provenance } from "../../ledger/provenance.ts";
import type { ImportMap } from "../map.ts";
import type { ImportPlan, TablePlan } from "../plan.ts";
import type { Source, SourceFile } from "../source/source.ts";
import { identifier, literal } from "../target/target-table.ts";
import { shown } from "../values/shown.ts";
import type { ImportReport } from "./result.ts";

/**
 * Progress of a run. `stopped`: it ended and loaded nothing. `replaced`: it was interrupted after it had loaded some
 * rows, and a later run of the same source began.
 */
export type Phase =
  | "staging"
  | "validated"
  | "loading"
  | "loaded"
  | "verified"
  | "stopped"
  | "replaced"
  | "rolled back";

/** Phases of a run that the same import continues. A run that is loaded may not be verified yet. */
export const unfinishedPhases: readonly Phase[] = ["staging", "validated", "loading", "loaded"];

/** A run as the ledger has it. */
export interface ImportRun {
  /** Number in this database; bigint as text. */
  number: string;
  id: string;
  phase: Phase;
  sourceKind: "sqlite" | "json";
  sourcePath: string;
  sourceFiles: SourceFile[];
  sourceSha256: string;
  /** Folder with a compressed copy of the source; null if none was kept. */
  sourceKept: string | null;
  map: ImportMap;
  mapSha256: string;
  startedAt: Date;
  finishedAt: Date | null;
  report: ImportReport | null;
  appliedBy: string;
}

/** A table of a run as the ledger has it. */
export interface RunTable {
  number: number;
  source: string;
  target: string;
  /** SQL of its own rows in FROM: without those of tables that inherit from it. */
  rows: string;
  key: string[];
  /** SQL of a row's key as one text, on {@link rowAlias}. */
  keySql: string;
  columns: string[];
}

/** Name of the row in a recorded {@link RunTable.keySql}. */
export const rowAlias = '"$row"';

const columns = `number::text as number, id, phase, source_kind as "sourceKind", source_path as "sourcePath",
  source_files as "sourceFiles", source_sha256 as "sourceSha256", source_kept as "sourceKept", map, map_sha256 as "mapSha256",
  started_at as "startedAt", finished_at as "finishedAt", report, applied_by as "appliedBy"`;

/** Lists the runs, newest first. */
export async function listRuns(client: Client): Promise<ImportRun[]> {
  // The number of the result is a text, by which run 9 would come after run 10.
  switch (await tableAccess(client, "pgroundwork", "import_run")) {
    case "absent":
      return [];
    case "denied":
      throw new OperationError(`User "${client.user}" may not read pgroundwork.import_run.`, {
        hint: "Use the migrator role (<database>_migrator).",
      });
    case "readable":
      return (
        await client.query<ImportRun>(`select ${columns} from pgroundwork.import_run order by import_run.number desc`)
      ).rows;
  }
}

/**
 * Finds one run: by its id, the beginning of its id or its number; if none is named, the newest.
 *
 * @throws OperationError (wrong usage) if there is none, or several
 */
export async function findRun(client: Client, named: string | undefined): Promise<ImportRun> {
  const runs = await listRuns(client);
  const found =
    named === undefined ? runs.slice(0, 1) : runs.filter(({ id, number }) => id.startsWith(named) || number === named);
  const [only] = found;
  if (found.length === 1 && only !== undefined) return only;
  const what =
    named === undefined
      ? "There is no import yet"
      : `${found.length === 0 ? "No import" : "More than one import"} has the id "${named}"`;
  throw new OperationError(`${what}.`, { hint: "`import list` shows all of them.", exitCode: exitCode.usage });
}

/** Finds a run of the same source and map that was interrupted. */
export async function findInterrupted(
  client: Client,
  source: Source,
  plan: ImportPlan,
): Promise<ImportRun | undefined> {
  const runs = await listRuns(client);
  return runs.find(
    ({ phase, sourceSha256, mapSha256 }) =>
      unfinishedPhases.includes(phase) && sourceSha256 === source.sha256 && mapSha256 === plan.sha256,
  );
}

/** Records a new run, with its tables. */
export async function beginRun(
  client: Client,
  source: Source,
  plan: ImportPlan,
  runId: string | undefined,
): Promise<ImportRun> {
  const origin: Provenance = provenance(runId);
  const { rows } = await client.query<ImportRun>(
    `insert into pgroundwork.import_run
       (id, source_kind, source_path, source_files, source_sha256, map, map_sha256, host, kit_version)
     values (gen_random_uuid(), $1, $2, $3, $4, $5, $6, $7, $8) returning ${columns}`,
    [
      source.kind,
      source.path,
      JSON.stringify(source.files),
      source.sha256,
      JSON.stringify(plan.map),
      plan.sha256,
      origin.host,
      origin.kitVersion,
    ],
  );
  const { tables } = plan;
  const run = rows[0];
  if (run === undefined) throw new Error("insert into import_run returned no row");
  for (const plan of tables) {
    await client.query(
      `insert into pgroundwork.import_table (run, number, source, target, key, key_sql, columns, entry_sha256)
       values ($1, $2, $3, $4, $5, $6, $7, $8)`,
      [
        run.number,
        plan.number,
        plan.entry.from,
        plan.table.name,
        plan.key,
        keySql(plan, rowAlias),
        plan.table.columns.map(({ name }) => name),
        plan.sha256,
      ],
    );
  }
  return run;
}

/** Sets the phase of a run. */
export async function setPhase(client: Client, run: ImportRun, phase: Phase): Promise<void> {
  const ended = ["verified", "stopped", "replaced", "rolled back"].includes(phase);
  await client.query(
    `update pgroundwork.import_run set phase = $2${ended ? ", finished_at = clock_timestamp()" : ""} where number = $1`,
    [run.number, phase],
  );
  run.phase = phase;
}

/** Records where the source of a run is kept. */
export async function setKept(client: Client, run: ImportRun, folder: string): Promise<void> {
  await client.query("update pgroundwork.import_run set source_kept = $2 where number = $1", [run.number, folder]);
  run.sourceKept = folder;
}

/** Saves the report of a run. */
export async function saveReport(client: Client, run: ImportRun, report: ImportReport): Promise<void> {
  await client.query("update pgroundwork.import_run set report = $2 where number = $1", [
    run.number,
    JSON.stringify(report),
  ]);
}

/** Reads the tables of a run. */
export async function readRunTables(client: Client, run: ImportRun): Promise<RunTable[]> {
  const { rows } = await client.query<RunTable>(
    `select i.number, i.source, i.target, i.key, i.key_sql as "keySql", i.columns,
            case when c.relkind = 'p' then '' else 'only ' end || i.target as rows
       from pgroundwork.import_table i left join pg_class c on c.oid = to_regclass(i.target)
      where i.run = $1 order by i.number`,
    [run.number],
  );
  return rows;
}

/** Creates the tables of the ledger, if they do not exist. */
export async function ensureImportLedger(client: Client): Promise<void> {
  try {
    await ensureLedger(client, "import_run");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "42501")) throw error;
    throw new OperationError(`This database cannot record imports: ${error.message}.`, {
      hint: "Import with the migrator role (<database>_migrator).",
      cause: error,
    });
  }
}

/** Name of the table that holds the rows of a run until they are loaded. */
export function stageName({ number }: Pick<ImportRun, "number">, plan: Pick<TablePlan, "number">): string {
  return `pgroundwork.import_stage_${number}_${plan.number}`;
}

/** Name of the table in which a run tries staged rows. */
export function triedName(run: Pick<ImportRun, "number">, plan: Pick<TablePlan, "number">): string {
  return `${stageName(run, plan)}_tried`;
}

/** Name of the table that holds the fingerprints of the source while a run leaves unchanged rows out. */
export function fingerprintsName({ number }: Pick<ImportRun, "number">): string {
  return `pgroundwork.import_stage_${number}_source`;
}

/** Name of the table that holds the fingerprints of the rows that a run leaves out, by entry. */
export function unchangedName({ number }: Pick<ImportRun, "number">): string {
  return `pgroundwork.import_stage_${number}_unchanged`;
}

/** Name of the table that holds the transactions in which a run wrote rows, until these are recorded. */
export function writtenName({ number }: Pick<ImportRun, "number">): string {
  return `pgroundwork.import_stage_${number}_written`;
}

/** Name of the table that holds the rows of earlier imports that a run's source lacks. */
export function missingName({ number }: Pick<ImportRun, "number">): string {
  return `pgroundwork.import_stage_${number}_missing`;
}

/** SQL of a row's key as one text, as {@link joinKey} makes it. */
export function keySql(plan: Pick<TablePlan, "key" | "columns">, alias: string): string {
  const parts = plan.key.map((name) => {
    const column = plan.columns.find(({ target }) => target.name === name);
    const part = column?.codec.sql(`${alias}.${identifier(name)}`);
    const isEscaped =
      plan.key.length > 1 && /^(text|varchar|bpchar|other|array|jsonb?)$/.test(column?.target.type.base ?? "");
    return isEscaped ? `replace(replace(${part}, E'\\x1e', E'\\x1e0'), E'\\x1f', E'\\x1e1')` : part;
  });
  return `concat_ws(E'\\x1f', ${parts.join(", ")})`;
}

/** SQL of the hash of a row, over the columns that the table had at the import. */
export function digestSql(columns: readonly string[], alias: string): string {
  return `hashtextextended(row(${columns.map((name) => `${alias}.${identifier(name)}`).join(", ")})::text, 0)`;
}

/** SQL that is true if a row has the key of the row `t` of the target. */
export function sameKey(key: readonly string[], alias: string): string {
  return key.map((name) => `${alias}.${identifier(name)} = t.${identifier(name)}`).join(" and ");
}

/** SQL of the hash of a row `t` of a table of the target. The one of a missing row is none that a run recorded. */
export function targetDigest({ table }: TablePlan): string {
  return digestSql(
    table.columns.map(({ name }) => name),
    "t",
  );
}

/** Separator of the parts of a key. */
const keySeparator = "\x1f";

/** Joins the parts of a key to one text. A part that has the separator is escaped, so that no two keys are the same. */
export function joinKey(parts: readonly (string | null)[]): string {
  if (parts.length === 1) return parts[0] ?? "";
  return parts
    .map((part) => (part ?? "").replaceAll("\x1e", "\x1e0").replaceAll(keySeparator, "\x1e1"))
    .join(keySeparator);
}

/** Formats a key for people: on one line, escaped and cut. A key that was formatted before stays as it is. */
export function shownKey(key: string): string {
  const parts = key.split(keySeparator);
  if (parts.length === 1) return shown(key);
  return shown(parts.map((part) => part.replaceAll("\x1e1", keySeparator).replaceAll("\x1e0", "\x1e")).join(", "));
}

/** SQL of the rows of a table that imports wrote and did not roll back: `r` is the row's record, `i` its table. */
export function baselineRows(target: string): string {
  return `pgroundwork.import_row r
    join pgroundwork.import_table i on i.run = r.run and i.number = r.number and i.target = ${literal(target)}
    join pgroundwork.import_run u on u.number = r.run and u.phase <> 'rolled back'
   where r.action <> 'other'`;
}

/** A run, as far as the rows depend on it that it can be compared with. */
export type BaselineRun = Pick<ImportRun, "number" | "sourceKind" | "sourcePath"> & { map: Pick<ImportMap, "source"> };

/** Source of a run. One with a name has another path each time. */
export interface SourceOrigin {
  kind: ImportRun["sourceKind"];
  path: string;
  /** Name in the map. undefined: its path is its name. */
  name: string | undefined;
}

/** SQL of whether a run read this source. */
export function readSource(run: string, { kind, path, name }: SourceOrigin): string {
  const isSame = name === undefined ? `source_path = ${literal(path)}` : `map ->> 'source' = ${literal(name)}`;
  return `coalesce(${run}.source_kind = ${literal(kind)} and ${run}.${isSame}, false)`;
}

/** Returns true if a run read this source: the same path, or the same name. */
export function isReadFrom({ sourceKind, sourcePath, map }: ImportRun, { kind, path, name }: SourceOrigin): boolean {
  return sourceKind === kind && (sourcePath === path || (name !== undefined && map.source === name));
}

/**
 * SQL of the state in which the last import left each row of a table. `sameRow` and `sameSource` tell if its digests
 * can be compared with those of this plan: a table that got a column has others. `isOfSource` tells if any import of
 * the run's source had the row.
 *
 * @param keys SQL of the keys that are wanted. Default: all
 */
export function baseline(run: BaselineRun, { table, sha256 }: TablePlan, keys?: string): string {
  const wanted = keys === undefined ? "" : `and r.key in (${keys})`;
  const columns = `array[${table.columns.map(({ name }) => literal(name)).join(", ")}]`;
  const origin = { kind: run.sourceKind, path: run.sourcePath, name: run.map.source };
  return `select b.* from (
    select distinct on (r.key) r.key, r.action, r.digest, r.source_digest, i.columns = ${columns} as "sameRow",
           i.entry_sha256 = ${literal(sha256)} as "sameSource",
           bool_or(${readSource("u", origin)}) over (partition by r.key) as "isOfSource" from ${baselineRows(table.name)} and r.run <= ${run.number}
       and r.digest is not null ${wanted} order by r.key, r.run desc) b where b.action <> 'deleted'`;
}
