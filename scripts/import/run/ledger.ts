import type { Client } from "pg";
import { exitCode, OperationError } from "../../core/operation-error.ts";
import { ensureLedger, tableAccess } from "../../ledger/kit-schema.ts";
import { type Provenance, provenance } from "../../ledger/provenance.ts";
import type { ImportMap } from "../map.ts";
import type { ImportPlan, TablePlan } from "../plan.ts";
import type { Source, SourceFile } from "../source/source.ts";
import { identifier } from "../target/target-table.ts";
import type { ImportReport } from "./result.ts";

/** Progress of a run. `stopped`: it loaded nothing, because of rejected rows. */
export type Phase = "staging" | "validated" | "loading" | "loaded" | "verified" | "stopped" | "rolled back";

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
  key: string[];
  /** SQL of a row's key as one text, on {@link rowAlias}. */
  keySql: string;
  columns: string[];
}

/** Name of the row in a recorded {@link RunTable.keySql}. */
export const rowAlias = '"$row"';

const columns = `number::text as number, id, phase, source_kind as "sourceKind", source_path as "sourcePath",
  source_files as "sourceFiles", source_sha256 as "sourceSha256", map, map_sha256 as "mapSha256",
  started_at as "startedAt", finished_at as "finishedAt", report, applied_by as "appliedBy"`;

/** Lists the runs, newest first. */
export async function listRuns(client: Client): Promise<ImportRun[]> {
  switch (await tableAccess(client, "pgroundwork", "import_run")) {
    case "absent":
      return [];
    case "denied":
      throw new OperationError(`User "${client.user}" may not read pgroundwork.import_run.`, {
        hint: "Use the migrator role (<database>_migrator).",
      });
    case "readable":
      return (await client.query<ImportRun>(`select ${columns} from pgroundwork.import_run order by number desc`)).rows;
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
      ["staging", "validated", "loading", "loaded"].includes(phase) &&
      sourceSha256 === source.sha256 &&
      mapSha256 === plan.sha256,
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
      `insert into pgroundwork.import_table (run, number, source, target, key, key_sql, columns)
       values ($1, $2, $3, $4, $5, $6, $7)`,
      [
        run.number,
        plan.number,
        plan.entry.from,
        plan.table.name,
        plan.key,
        keySql(plan, rowAlias),
        plan.table.columns.map(({ name }) => name),
      ],
    );
  }
  return run;
}

/** Sets the phase of a run. */
export async function setPhase(client: Client, run: ImportRun, phase: Phase): Promise<void> {
  const ended = ["verified", "stopped", "rolled back"].includes(phase);
  await client.query(
    `update pgroundwork.import_run set phase = $2${ended ? ", finished_at = clock_timestamp()" : ""} where number = $1`,
    [run.number, phase],
  );
  run.phase = phase;
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
    `select number, source, target, key, key_sql as "keySql", columns
       from pgroundwork.import_table where run = $1 order by number`,
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

/** SQL of a row's key as one text. The parts cannot contain the separator unless a text has it. */
export function keySql(plan: Pick<TablePlan, "key" | "columns">, alias: string): string {
  const parts = plan.key.map((name) => {
    const codec = plan.columns.find(({ target }) => target.name === name)?.codec;
    return codec?.sql(`${alias}.${identifier(name)}`);
  });
  return `concat_ws(E'\\x1f', ${parts.join(", ")})`;
}

/** Separator of the parts of a key. */
export const keySeparator = "\x1f";
