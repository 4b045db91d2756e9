import { join } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { exitCode } from "../../../core/operation-error.ts";
import type { ImportEvent, ImportResult } from "../../../import/run/run-import.ts";
import { describeHolder } from "../../../ledger/deployment-lock.ts";
import { action, type CommandContext } from "../../context.ts";
import { databaseVerb } from "../../options.ts";
import { ProgressLine } from "../../progress-line.ts";
import { type TargetOptions, targetToChange } from "../../target.ts";
import { describeReport } from "./text.ts";

interface ImportOptions extends TargetOptions {
  map?: string;
  dryRun?: boolean;
  maxRejects?: number | `${number}%`;
}

export function registerImportSqlite(parent: Command): void {
  addImport(parent, "sqlite", "<file>", "import a SQLite database");
}

export function registerImportJson(parent: Command): void {
  addImport(
    parent,
    "json",
    "<path>",
    "import a JSON file, a file with one JSON value per line, or a folder of such files",
  );
}

function addImport(parent: Command, kind: "sqlite" | "json", argument: string, description: string): void {
  databaseVerb(
    parent,
    `${kind} ${argument}`,
    `${description} (exit code 5 if rows were rejected and the others imported)`,
  )
    .option("--map <file>", `the map: .ts, .mjs or .json (default: import/${kind} in the database's folder)`)
    .option("--dry-run", "read and validate everything, and change nothing")
    .option(
      "--max-rejects <limit>",
      "import the other rows if at most this many were rejected, such as 100 or 5% (default: what the map says)",
      rejectLimit,
    )
    .action(action<ImportOptions, [string]>((context, options, path) => importFrom(context, options, kind, path)));
}

function rejectLimit(text: string): number | `${number}%` {
  if (/^\d+(\.\d+)?%$/.test(text)) return text as `${number}%`;
  if (/^\d+$/.test(text)) return Number(text);
  throw new InvalidArgumentError("expected a number of rows, or a share such as 5%.");
}

async function importFrom(context: CommandContext, options: ImportOptions, kind: "sqlite" | "json", path: string) {
  const { openSource } = await import("../../../import/source/open-source.ts");
  const { readMap } = await import("../../../import/map-file.ts");
  const { runImport } = await import("../../../import/run/run-import.ts");
  const { connection, folder, database, label } = await targetToChange(context, options);
  const map = await readMap(options.map, folder, kind);
  const source = await openSource(kind, path);
  const progress = new ImportProgress(context);
  try {
    const result = await runImport({
      connection,
      database,
      source,
      map,
      dryRun: options.dryRun ?? false,
      maxRejects: options.maxRejects,
      reportFolder: join(context.root, ".pgroundwork", "imports"),
      onEvent: (event) => progress.show(event),
      signal: context.signal,
      runId: context.runId,
    });
    context.out.answer({ ...result.report, folder: result.folder }, () => describeReport(label, result));
    return exitOf(result);
  } finally {
    await source.close();
  }
}

function exitOf({ report: { outcome, tables } }: ImportResult) {
  const rejected = tables.some((table) => table.rejected > 0);
  if (outcome === "stopped" || outcome === "not verified") return exitCode.failed;
  return rejected ? exitCode.wrong : exitCode.done;
}

/** Shows the phase of an import, with rows, rate and remaining time. */
class ImportProgress {
  readonly #context: CommandContext;
  #begun = 0;
  #text = "";

  constructor(context: CommandContext) {
    this.#context = context;
  }

  show(event: ImportEvent): void {
    const { out } = this.#context;
    if (event.kind === "waiting") out.note(`waiting for another deployer: ${describeHolder(event.holder)}`);
    if (event.kind === "resumed") out.note(`continuing import ${event.run}, which was interrupted (${event.phase})`);
    if (event.kind === "phase") {
      this.#begun = performance.now();
      this.#text = event.name;
      const line = new ProgressLine();
      out.use(line);
      line.start(() => this.#text, { announce: true });
    }
    if (event.kind !== "progress") return;
    const seconds = (performance.now() - this.#begun) / 1_000;
    const rate = event.rows / Math.max(seconds, 0.001);
    const parts = [`${event.name} ${event.table}`];
    if (Number.isFinite(event.rows) && event.rows > 0)
      parts.push(`${event.rows.toLocaleString("en")} rows, ${Math.round(rate).toLocaleString("en")}/s`);
    if (event.of !== undefined && event.rows < event.of && rate > 0)
      parts.push(`${Math.ceil((event.of - event.rows) / rate)} s left`);
    this.#text = parts.join(": ");
  }
}
