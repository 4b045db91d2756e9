import type { Command } from "commander";
import type { StoredDump } from "../../../backup/dump/store.ts";
import { type ExitCode, exitCode } from "../../../core/operation-error.ts";
import { action, type CommandContext } from "../../context.ts";
import { dumpSettings } from "../../dump-target.ts";
import { databaseOption, jsonOption, stackOption } from "../../options.ts";
import { style } from "../../output.ts";
import { showStep } from "../../step.ts";
import { table } from "../../table.ts";
import { bytes } from "../backup/texts.ts";

/** Options that select dumps by their description. */
export interface SelectionOptions {
  stack?: string;
  database?: string;
}

export function registerDumpsList(dumps: Command): void {
  dumps
    .command("list")
    .description(
      "list the dumps after comparing every file with its checksum (exit code 5 if one is damaged, 1 if one is unknown)",
    )
    .addOption(stackOption("only dumps of this stack"))
    .addOption(databaseOption("only dumps of this database"))
    .addOption(jsonOption())
    .action(action<SelectionOptions, []>(list));
}

async function list(context: CommandContext, options: SelectionOptions): Promise<ExitCode> {
  const { folder } = dumpSettings(context);
  const dumps = await readSelected(context, options, folder);
  context.out.answer({ folder, dumps: dumps.map(answerOf) }, () => describe(dumps, folder));
  if (dumps.some(({ state }) => state === "damaged")) return exitCode.wrong;
  return dumps.some(({ state }) => state === "unknown") ? exitCode.failed : exitCode.done;
}

/** Reads the dumps of a folder that match. Those without a readable description always do. */
export async function readSelected(
  context: CommandContext,
  { stack, database }: SelectionOptions,
  folder: string,
): Promise<StoredDump[]> {
  const { listDumps } = await import("../../../backup/dump/store.ts");
  showStep(context.out, "comparing checksums", { announce: false });
  const dumps = await listDumps(folder, context.signal);
  context.out.endStep();
  return dumps.filter(
    ({ metadata }) =>
      metadata === undefined ||
      ((stack === undefined || metadata.source === stack) &&
        (database === undefined || metadata.database === database)),
  );
}

function answerOf({ damage: _, metadata, ...dump }: StoredDump) {
  if (metadata === undefined) return dump;
  const { content, files: __, ...described } = metadata;
  const rows = content.tables.reduce((sum, each) => sum + each.rows, 0);
  return { ...dump, ...described, tables: content.tables.length, rows, migrations: content.migrations };
}

function describe(dumps: readonly StoredDump[], folder: string): string {
  if (dumps.length === 0) return `no dumps in ${folder}`;
  const rows = dumps.map(({ id, state, metadata, validation }) => [
    id,
    state === "intact" ? state : style("red", state),
    validation === undefined ? "not loaded" : `${validation.state} ${validation.at.slice(0, 10)}`,
    metadata === undefined ? "" : `${metadata.kind}${metadata.scope === "schema" ? ", schema" : ""}`,
    metadata === undefined || metadata.recipients.length === 0 ? "" : "age",
    metadata === undefined ? "" : bytes(metadata.bytes),
    metadata?.server.version ?? "",
  ]);
  return [
    table(["dump", "state", "validated", "format", "encrypted", "size", "server"], rows),
    ...dumps.flatMap(({ id, reasons }) => reasons.map((reason) => `${id}: ${reason}`)),
    `in ${folder}`,
  ].join("\n");
}
