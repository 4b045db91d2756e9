import { join } from "node:path";
import { exitCode, OperationError } from "../../../core/operation-error.ts";
import type { ImportMap } from "../../../import/map.ts";
import type { ImportReport } from "../../../import/run/result.ts";
import type { ImportEvent, ImportResult } from "../../../import/run/run-import.ts";
import type { Source } from "../../../import/source/source.ts";
import { describeHolder } from "../../../ledger/deployment-lock.ts";
import type { CommandContext } from "../../context.ts";
import { ProgressLine } from "../../progress-line.ts";
import type { Target, TargetOptions } from "../../target.ts";
import { describeReplaced, describeReport } from "./text.ts";

/** Options of the commands that import. */
export interface ImportOptions extends TargetOptions {
  map?: string;
  infer?: boolean;
  create?: boolean;
  draft?: boolean;
  overwrite?: boolean;
  dryRun?: boolean;
  maxRejects?: number | `${number}%`;
  only?: string[];
  changes?: boolean;
  deleteMissing?: boolean;
  maxDelete?: number | `${number}%`;
  keepSource?: string | false;
}

/** Imports an opened source by a map, and prints the report. `before` is part of the answer. */
export async function importBy(
  context: CommandContext,
  options: ImportOptions,
  { connection, database, label }: Target,
  source: Source,
  map: ImportMap,
  before: { answer: object; lines: string[] } = { answer: {}, lines: [] },
) {
  const { runImport } = await import("../../../import/run/run-import.ts");
  const { selectTables } = await import("../../../import/select-tables.ts");
  const selected = selectTables(withPolicies(map, options), options.only ?? []);
  const reportFolder = join(context.root, ".pgroundwork", "imports");
  const progress = new ImportProgress(context);
  const result = await runImport({
    connection,
    database,
    source,
    map: selected,
    dryRun: options.dryRun ?? false,
    maxRejects: options.maxRejects,
    maxDelete: options.maxDelete,
    reportFolder,
    keepSource: options.keepSource === false ? undefined : (options.keepSource ?? reportFolder),
    onEvent: (event) => progress.show(event),
    signal: context.signal,
    runId: context.runId,
  });
  context.out.answer({ ...before.answer, ...result.report, folder: result.folder }, () =>
    [...before.lines, describeReport(label, result)].join("\n"),
  );
  return exitOf(result, selected);
}

/** Returns the map with the policies that options ask for. */
function withPolicies(map: ImportMap, { changes, deleteMissing, maxDelete }: ImportOptions): ImportMap {
  const merging: ImportMap = changes ? { ...map, existing: "merge" } : map;
  if (deleteMissing && merging.existing !== "merge")
    throw new OperationError("--delete-missing needs --changes.", {
      hint: "Add --changes.",
      exitCode: exitCode.usage,
    });
  const result: ImportMap = deleteMissing ? { ...merging, missing: "delete" } : merging;
  if (maxDelete !== undefined && result.missing !== "delete")
    throw new OperationError("--max-delete needs --delete-missing.", {
      hint: "Add --changes --delete-missing.",
      exitCode: exitCode.usage,
    });
  return result;
}

function exitOf({ report: { outcome, tables } }: ImportResult, map: ImportMap) {
  if (outcome === "stopped" || outcome === "not verified") return exitCode.failed;
  const stays = map.missing === "delete" && tables.some(({ missing }) => hasStayed(missing ?? {}));
  return stays || tables.some((table) => table.rejected > 0) ? exitCode.wrong : exitCode.done;
}

/** Returns true if rows were to be deleted and were not. */
function hasStayed(missing: NonNullable<ImportReport["tables"][number]["missing"]>): boolean {
  return [missing.conflict, missing.referenced, missing["not inserted"]].some((count = 0) => count > 0);
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
    if (event.kind === "replaced") out.note(describeReplaced(event));
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
