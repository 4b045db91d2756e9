import { join, resolve } from "node:path";
import type { Client } from "pg";
import { writeFileAtomically } from "../../core/atomic-file.ts";
import { OperationError } from "../../core/operation-error.ts";
import type { ImportPlan } from "../plan.ts";
import { keepSource } from "../source/kept-source.ts";
import { writtenSumsApart } from "./checksums.ts";
import { replaceInterrupted } from "./interrupted.ts";
import { type ImportRun, saveReport, setKept, setPhase, stageName } from "./ledger.ts";
import { loadTables } from "./load.ts";
import { findMissing, type MissingCount, readMissing, tooManyMissing, writeMissing } from "./missing.ts";
import type { ImportResult, PhaseName, RunImportOptions } from "./options.ts";
import { recordRows } from "./record.ts";
import { completeRejects, firstRejects, forgetRejectedValues, writeRejects } from "./rejects.ts";
import { reportPage } from "./report.ts";
import type { ImportReport, MissingRow, ReplacedImport, TableReport } from "./result.ts";
import type { TableSums } from "./source-sums.ts";
import { AmbiguousValue, createStage, dropStages, type StagedTable, stageTable } from "./stage.ts";
import { clashesWithUnchanged, dropUnchanged, findBase, findUnchanged, NoBase, readUnchanged } from "./unchanged.ts";
import { unreadOf } from "./unread.ts";
import { validateReferences, validateTable } from "./validate.ts";
import { type Counts, readCounts, verifyRun } from "./verify.ts";
import { createWritten } from "./written.ts";

/** Rejected rows that a report shows, and rows that the source no longer has. */
const shownRejects = 20;

/** The steps of one run. */
export class RunSteps {
  readonly #client: Client;
  readonly #options: RunImportOptions;
  readonly #plan: ImportPlan;
  readonly #startedAt = new Date();
  readonly #phases: { name: string; ms: number }[] = [];
  readonly #tables = new Map<number, Partial<TableReport>>();
  /** Tables that this process staged, by their number. A run that is continued was staged by another one. */
  readonly #staged = new Map<number, StagedTable>();
  #verify: ImportReport["verify"];
  /** Sums of the rows that the run wrote, by the number of the table. */
  #written: Map<number, TableSums> | undefined;
  /** Counts of the first pass: the comparison reads everything again. */
  #notes: Map<string, number> | undefined;
  #remarks: string[] = [];
  #missing: MissingRow[] | undefined;
  #replaced: ReplacedImport[] = [];
  #sourceRows = 0;
  #rejected = 0;

  constructor(client: Client, options: RunImportOptions, plan: ImportPlan) {
    this.#client = client;
    this.#options = options;
    this.#plan = plan;
  }

  /** Ends interrupted runs of the same source that cannot be continued, because it or its map changed. */
  async replaceInterrupted(run: ImportRun): Promise<void> {
    this.#replaced = await replaceInterrupted(this.#client, this.#options.source, run, this.#plan);
    for (const each of this.#replaced) this.#options.onEvent?.({ kind: "replaced", ...each });
  }

  /** Reads the source into the stage and validates it. An earlier attempt of the same run starts over. */
  async stage(run: ImportRun): Promise<void> {
    const mayLeaveOut = this.#plan.map.existing === "merge" && this.#options.readAll !== true;
    if (await this.#stage(run, mayLeaveOut)) return;
    // Rows that were read and rows that were left out have the same key.
    await this.#stage(run, false);
    for (const { number } of this.#plan.tables) this.#note(number, { allRead: "two rows of the source have one key" });
  }

  /** Adds to what is reported of a table. */
  #note(number: number, found: Partial<TableReport>): void {
    this.#tables.set(number, { ...this.#tables.get(number), ...found });
  }

  /** Records why all rows of a table are read, for the report. */
  async #noteBase(run: ImportRun, plan: ImportPlan, leavesOut: boolean): Promise<void> {
    if (plan.map.existing !== "merge") return;
    for (const table of plan.tables) {
      const base = leavesOut ? await findBase(this.#client, run, table) : new NoBase("requested");
      if (base instanceof NoBase) this.#note(table.number, { allRead: base.reason });
    }
  }

  /** Returns false if it has to be done again without leaving rows out. */
  async #stage(run: ImportRun, leavesOut: boolean): Promise<boolean> {
    const [client, plan, { source, signal }] = [this.#client, this.#plan, this.#options];
    await dropUnchanged(client, run);
    plan.notes.clear();
    for (const ledger of ["import_reject", "import_row"])
      await client.query(`delete from pgroundwork.${ledger} where run = $1`, [run.number]);
    await this.#phase("read", async () => {
      await this.#noteBase(run, plan, leavesOut);
      if (leavesOut) await findUnchanged(client, source, run, plan, signal);
      for (const table of plan.tables) {
        await createStage(client, run, table);
        const total =
          table.entry.each === undefined
            ? source.collections.find(({ name }) => name === table.entry.from)?.rows
            : undefined;
        const progress = (rows: number) =>
          this.#progress("read", table.table.name, rows, table.entry.query === undefined ? total : undefined);
        const unchanged = await readUnchanged(client, run, plan, table);
        const staged = await stageTable(client, source, run, table, plan, unchanged, progress, signal).catch(
          async (error: unknown) => {
            throw error instanceof AmbiguousValue ? await this.#refuse(run, error) : error;
          },
        );
        this.#staged.set(table.number, staged);
        await client.query(`analyze ${stageName(run, table)}`);
      }
    });
    for (const table of plan.tables) if (await clashesWithUnchanged(client, run, table)) return false;
    this.#notes = new Map(plan.notes);
    this.#remarks = [];
    await this.#phase("validate", async () => {
      await this.#requireFewMissing(run, await findMissing(client, source, run, plan));
      for (const table of plan.tables) {
        signal?.throwIfAborted();
        this.#progress("validate", table.table.name, 0, undefined);
        this.#remarks.push(...(await validateTable(client, run, table, plan)));
      }
      await validateReferences(client, run, plan);
      await this.#completeRejects(run);
    });
    await this.restoreStaged(run);
    return true;
  }

  async #completeRejects(run: ImportRun): Promise<void> {
    const [client, plan] = [this.#client, this.#plan];
    for (const table of plan.tables)
      await completeRejects(client, this.#options.source, run, table, plan, () =>
        readUnchanged(client, run, plan, table),
      );
  }

  /** A value that only the map can interpret ends the run before anything was loaded. */
  async #refuse(run: ImportRun, error: AmbiguousValue): Promise<OperationError> {
    await this.#stop(run);
    return new OperationError(error.message, { hint: "Nothing was imported." });
  }

  async #stop(run: ImportRun): Promise<void> {
    if (this.#options.dryRun === true) return;
    await this.dropStages(run);
    await forgetRejectedValues(this.#client, run, this.#plan.map.rejects === "quarantine");
    await setPhase(this.#client, run, "stopped");
  }

  /** Ends the run if it was to delete so many rows that the source is rather incomplete. */
  async #requireFewMissing(run: ImportRun, counts: readonly MissingCount[]): Promise<void> {
    const refusal = tooManyMissing(counts, this.#plan, this.#options.maxDelete);
    if (refusal === undefined) return;
    await this.#stop(run);
    throw refusal;
  }

  /** Counts what was staged. */
  async restoreStaged(run: ImportRun): Promise<void> {
    const { rows } = await this.#client.query<{ source: string; rejected: string }>(
      `select coalesce((select sum(source_rows) from pgroundwork.import_table where run = $1), 0) as source,
              (select count(*) from pgroundwork.import_reject where run = $1 and kind = 'rejected') as rejected`,
      [run.number],
    );
    this.#sourceRows = Number(rows[0]?.source ?? 0);
    this.#rejected = Number(rows[0]?.rejected ?? 0);
  }

  /** Returns true if more rows were rejected than the policy or the option allows. */
  exceedsRejects(): boolean {
    const { maxRejects } = this.#options;
    const policy = this.#plan.map.rejects ?? "stop";
    if (this.#rejected === 0) return false;
    if (maxRejects === undefined) return policy === "stop";
    if (typeof maxRejects === "number") return this.#rejected > maxRejects;
    return this.#rejected > (this.#sourceRows * Number.parseFloat(maxRejects)) / 100;
  }

  async load(run: ImportRun): Promise<void> {
    const [client, plan, { source, batchRows = 50_000, afterBatch, signal }] = [
      this.#client,
      this.#plan,
      this.#options,
    ];
    if (this.#options.keepSource !== undefined) {
      const folder = resolve(this.#options.keepSource, run.id, "source");
      await keepSource(source, folder);
      await setKept(client, run, folder);
    }
    await createWritten(client, run);
    await setPhase(client, run, "loading");
    await this.#phase("load", async () => {
      await loadTables(client, run, plan, {
        connection: this.#options.connection,
        batchRows,
        afterBatch,
        signal,
        onProgress: (table, rows) => this.#progress("load", table.table.name, rows, undefined),
      });
      await this.#completeRejects(run);
    });
    await this.#phase("record", async () => {
      const summary = { source: source.path, sha256: source.sha256, rows: this.#sourceRows, rejected: this.#rejected };
      // The rows are loaded, so the server can read them for the comparison meanwhile.
      const isLarge = this.#sourceRows > batchRows;
      const written = isLarge ? writtenSumsApart(this.#options.connection, run, plan) : undefined;
      try {
        this.#remarks.push(...(await recordRows(client, run, plan, source, summary)));
        await client.query("analyze pgroundwork.import_row");
        for (const { table } of plan.tables) await client.query(`analyze ${table.name}`);
      } finally {
        this.#written = await written;
      }
    });
  }

  async verify(run: ImportRun): Promise<boolean> {
    const { source, signal } = this.#options;
    const found = await this.#phase("verify", () =>
      verifyRun(this.#client, source, run, this.#plan, {
        onProgress: (table, rows) => this.#progress("verify", table.table.name, rows, undefined),
        signal,
        staged: this.#staged,
        ...(this.#written === undefined ? {} : { written: this.#written }),
      }),
    );
    this.#verify = found.result;
    for (const [number, table] of found.tables) this.#note(number, table);
    return found.result.verified;
  }

  async dropStages(run: ImportRun): Promise<void> {
    await dropStages(this.#client, run, this.#plan.tables);
  }

  /** Keeps what the report says of rows that the source no longer has, and writes all of them to a file. */
  async collectMissing(run: ImportRun): Promise<void> {
    const { reportFolder } = this.#options;
    if (this.#plan.map.existing !== "merge") return;
    const { counts, first } = await readMissing(this.#client, run, this.#plan, shownRejects);
    this.#missing = first;
    for (const { number, table } of this.#plan.tables) {
      const missing = counts.get(table.name);
      if (missing !== undefined) this.#note(number, { missing });
    }
    if (reportFolder !== undefined)
      await writeMissing(this.#client, run, this.#plan, join(reportFolder, run.id, "missing.jsonl"));
  }

  /** Writes the report to the ledger and to files. */
  async finish(run: ImportRun, outcome: ImportReport["outcome"]): Promise<ImportResult> {
    const [client, plan, { source, database, reportFolder }] = [this.#client, this.#plan, this.#options];
    const tables: TableReport[] = [];
    for (const { number, entry, table } of plan.tables) {
      const known = this.#tables.get(number);
      // The verification has counted already.
      const counts = known?.sourceRows === undefined ? await readCounts(client, run, number) : undefined;
      tables.push({
        source: entry.from,
        target: table.name,
        ...(counts as Counts),
        ...known,
        triggers: table.triggers.map((trigger) => trigger.replace(/ \(.*$/s, "")),
        generated: table.columns.filter(({ generated }) => generated).map(({ name }) => name),
        rowSecurity: table.rowSecurity,
      });
    }
    const report: ImportReport = {
      run: run.id,
      database,
      source: {
        kind: source.kind,
        path: source.path,
        sha256: source.sha256,
        bytes: source.files.reduce((sum, { bytes }) => sum + bytes, 0),
        kept: run.sourceKept,
      },
      startedAt: this.#startedAt.toISOString(),
      finishedAt: new Date().toISOString(),
      outcome,
      tables,
      ...(this.#verify === undefined ? {} : { verify: this.#verify }),
      rejects: await firstRejects(client, run, plan, shownRejects),
      ...(this.#missing === undefined ? {} : { missing: this.#missing }),
      ...(this.#replaced.length === 0 ? {} : { replaced: this.#replaced }),
      notes: [
        ...[...(this.#notes ?? plan.notes)].map(([note, count]) => `${note} (${count.toLocaleString("en")} times)`),
        ...this.#remarks,
      ],
      notImported: source.notImported,
      unread: unreadOf(source, plan.map),
      phases: this.#phases,
    };
    const folder = reportFolder === undefined ? undefined : join(reportFolder, run.id);
    const written = folder === undefined ? undefined : await this.#write(run, report, folder);
    if (outcome !== "dry run") {
      await forgetRejectedValues(client, run, plan.map.rejects === "quarantine");
      await saveReport(client, run, report);
    }
    if (written instanceof Error) throw written;
    return { report, folder };
  }

  /** Writes the files of a report. Returns the error if they cannot be written: the run has ended all the same. */
  async #write(run: ImportRun, report: ImportReport, folder: string): Promise<Error | undefined> {
    try {
      await writeRejects(this.#client, run, this.#plan, join(folder, "rejects.jsonl"));
      writeFileAtomically(join(folder, "report.json"), `${JSON.stringify(report, null, 2)}\n`);
      writeFileAtomically(join(folder, "report.html"), reportPage(report));
      return undefined;
    } catch (error) {
      if (!(error instanceof Error && "errno" in error)) throw error;
      return new OperationError(`The report of import ${run.id} cannot be written to ${folder}: ${error.message}.`, {
        hint: `The import has ended (${report.outcome}). \`import report\` shows the report, without all rejected rows.`,
        cause: error,
      });
    }
  }

  async #phase<T>(name: PhaseName, work: () => Promise<T>): Promise<T> {
    this.#options.onEvent?.({ kind: "phase", name });
    const begun = performance.now();
    const result = await work();
    this.#phases.push({ name, ms: Math.round(performance.now() - begun) });
    return result;
  }

  #progress(name: PhaseName, table: string, rows: number, of: number | undefined): void {
    this.#options.onEvent?.({ kind: "progress", name, table, rows, of });
  }
}
