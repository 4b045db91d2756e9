import { relative } from "node:path";
import type { Command } from "commander";
import { exitCode, OperationError } from "../../../core/operation-error.ts";
import type { ExportedImport } from "../../../import/export/export-import.ts";
import { printable } from "../../../import/values/shown.ts";
import { action, type CommandContext } from "../../context.ts";
import { databaseVerb } from "../../options.ts";
import { showStep } from "../../step.ts";
import { table } from "../../table.ts";
import { resolveTarget, type TargetOptions } from "../../target.ts";

interface ExportOptions extends TargetOptions {
  to?: string;
  source?: string;
}

export function registerImportExport(parent: Command): void {
  databaseVerb(
    parent,
    "export [run]",
    "write the JSON files of an import again, as the database is now (exit code 5 if they cannot hold everything)",
  )
    .option("--to <folder>", "folder that is created and gets the files")
    .option("--source <path>", "the files that were imported, if they are no longer where they were")
    .action(action<ExportOptions, [string | undefined]>(exportFiles));
}

async function exportFiles(context: CommandContext, { to, source, ...options }: ExportOptions, run?: string) {
  if (to === undefined)
    throw new OperationError("The export needs a folder for the files.", {
      hint: "Name it with --to.",
      exitCode: exitCode.usage,
    });
  const { exportImport } = await import("../../../import/export/export-import.ts");
  const { connection, database, label } = await resolveTarget(context, options);
  const onProgress = (file: string) => showStep(context.out, `writing ${file}`, { announce: false });
  const common = { connection, database, signal: context.signal };
  const done = await exportImport({ ...common, run, path: source, to, onProgress });
  context.out.answer(done, () => describe(context, label, done));
  return done.notWrittenCount === 0 ? exitCode.done : exitCode.wrong;
}

function describe({ root }: CommandContext, label: string, done: ExportedImport): string {
  const rows = done.tables.map((each) => [
    each.table,
    ...[each.changed, each.added, each.removed].map((count) => count.toLocaleString("en")),
  ]);
  return [
    `${label}: import ${done.run} is written to ${relative(root, done.folder) || done.folder}, ${done.files.length} files`,
    rows.length === 0 ? "no row differs from what was imported" : table(["table", "changed", "added", "removed"], rows),
    ...done.notWritten.map(({ table: name, key, column, reason }) =>
      printable(`not written: ${name} ${key}${column === undefined ? "" : `, ${column}`}: ${reason}`),
    ),
    ...(done.notWrittenCount === 0
      ? []
      : [`${done.notWrittenCount.toLocaleString("en")} values or rows of the database are not in the files`]),
  ].join("\n");
}
