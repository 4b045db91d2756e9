import type { Command } from "commander";
import { exitCode, OperationError } from "../../../core/operation-error.ts";
import { action, type CommandContext } from "../../context.ts";
import { databaseVerb } from "../../options.ts";
import { resolveTarget, type TargetOptions } from "../../target.ts";
import { describeReport } from "./text.ts";

interface ReportOptions extends TargetOptions {
  html?: boolean;
}

export function registerImportReport(parent: Command): void {
  databaseVerb(
    parent,
    "report [run]",
    "show what an import did: counts, rejected rows, checksums (default: the newest)",
  )
    .option("--html", "print the report as a web page")
    .action(action<ReportOptions, [string | undefined]>(report));
}

async function report(context: CommandContext, options: ReportOptions, named: string | undefined) {
  const { readImport } = await import("../../../import/verify-import.ts");
  const { unfinishedPhases } = await import("../../../import/run/ledger.ts");
  const { reportPage } = await import("../../../import/run/report.ts");
  const { connection, label } = await resolveTarget(context, options);
  const found = await readImport(connection, named);
  if (found.report === null)
    throw new OperationError(`Import ${found.id} has no report: it was interrupted (${found.phase}).`, {
      hint: unfinishedPhases.includes(found.phase)
        ? "Run the same import again to finish it, or `import rollback`."
        : "`import list` shows the imports that came after it.",
    });
  const result = { report: found.report, folder: undefined };
  context.out.answer({ ...found.report, phase: found.phase }, () =>
    options.html ? reportPage(result.report) : describeReport(label, result),
  );
  return exitCode.done;
}
